import { pages } from "@creavio/client";
import type { Timeout } from "@creavio/client/rbac/v1/timeout";
import { TimeoutService } from "@creavio/client/rbac/v1/timeout_service";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { useCallback, useEffect, useMemo, useState } from "react";

import { useActions } from "@/ui/context";

import { useHeard, useManaging } from "./managing";

export interface Timeouts {
  /** By person: the timeout that lasts. */
  readonly until: ReadonlyMap<string, Timeout>;
  readonly set: (userId: string, seconds: number, reason: string) => Promise<void>;
  readonly end: (userId: string) => Promise<void>;
}

const told = ["memberTimedOut", "memberTimeoutEnded", "refetch"] as const;

/** Who is timed out, as it changes; nobody for whom it is not shown. */
export function useTimeouts(moderates: boolean): Timeouts {
  const { client } = useActions().api;
  const { communityId, actions } = useManaging();
  const service = useMemo(() => client.service(TimeoutService), [client]);
  const [all, setAll] = useState<readonly Timeout[]>([]);
  const fetch = useCallback(async () => {
    const found: Timeout[] = [];
    for await (const one of pages(service.listTimeouts, { communityId, pageSize: 100 }, (page) => page.timeouts)) found.push(one);
    setAll(found);
    actions.know(found.map((one) => one.userId));
  }, [service, communityId, actions]);
  useEffect(() => {
    if (moderates) void fetch().catch(() => {});
  }, [fetch, moderates]);
  useHeard(
    told,
    useCallback(() => {
      if (moderates) void fetch().catch(() => {});
    }, [fetch, moderates]),
  );
  const until = useMemo(() => {
    const now = Date.now();
    return new Map(all.filter((one) => one.expireTime !== undefined && timestampDate(one.expireTime).getTime() > now).map((one) => [one.userId, one]));
  }, [all]);
  return {
    until,
    set: async (userId, seconds, reason) => {
      const set = await service.createTimeout({ communityId, userId, seconds, reason });
      setAll((before) => [...before.filter((one) => one.userId !== userId), set]);
    },
    end: async (userId) => {
      await service.deleteTimeout({ communityId, userId });
      setAll((before) => before.filter((one) => one.userId !== userId));
    },
  };
}
