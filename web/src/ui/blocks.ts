import { pages } from "@creavio/client";
import { useEffect } from "react";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

import { BlockService } from "@creavio/client/user/v1/block_service";
import type { Api } from "@/api/client";
import { useKnown } from "@/store/react";
import { hear } from "@/stream/heard";

interface Blocks {
  /** Who blocked them; somebody else may be signed in by now. */
  readonly by: string;
  /** Whom; undefined until it is known. */
  readonly ids: ReadonlySet<string> | undefined;
}

const blocks = createStore<Blocks>(() => ({ by: "", ids: undefined }));

hear((payload) => {
  if (payload.case === "refetch") blocks.setState({ by: "", ids: undefined });
  else if (payload.case === "userBlocked") noted(payload.value.blockedId, true);
  else if (payload.case === "userUnblocked") noted(payload.value.blockedId, false);
});

function noted(id: string, blocked: boolean): void {
  blocks.setState(({ by, ids }) => {
    const next = new Set(ids);
    if (blocked) next.add(id);
    else next.delete(id);
    return { by, ids: ids === undefined ? undefined : next };
  });
}

/** Whether one blocked somebody; undefined until it is known. */
export function useBlocked(api: Api, id: string): boolean | undefined {
  const me = useKnown((state) => state.me?.id ?? "");
  const known = useStore(blocks, ({ by, ids }) => (by === me && ids !== undefined ? ids.has(id) : undefined));
  useEffect(() => {
    if (known === undefined) void fetched(api, me).catch(() => {});
  }, [api, known, me]);
  return known;
}

async function fetched(api: Api, me: string): Promise<void> {
  if (blocks.getState().by === me) return;
  blocks.setState({ by: me, ids: undefined });
  try {
    const ids = new Set<string>();
    for await (const one of pages(api.client.service(BlockService).listBlocks, { pageSize: 100 }, (page) => page.blocks)) ids.add(one.userId);
    // Unless it was begun anew meanwhile: what was heard since counts there.
    if (blocks.getState().by === me) blocks.setState({ by: me, ids });
  } catch (thrown) {
    blocks.setState({ by: "", ids: undefined });
    throw thrown;
  }
}

/** Blocks somebody, or takes it back. */
export async function block(api: Api, userId: string, blocked: boolean): Promise<void> {
  const service = api.client.service(BlockService);
  if (blocked) await service.blockUser({ userId });
  else await service.unblockUser({ userId });
  noted(userId, blocked);
}
