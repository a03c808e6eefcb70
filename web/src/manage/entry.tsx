import { CalendarDays, Settings } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { type ReactNode, useEffect, useState } from "react";

import { Permission } from "@creavio/client/options/v1/permission";
import { PolicyService } from "@creavio/client/rbac/v1/policy_service";
import { go } from "@/route";
import { useActions } from "@/ui/context";
import { menuItem } from "@/ui/parts";

import { opens } from "./needs";
import { useSay } from "./texts";

/** What the menu of a place offers besides: its events, and its settings where one may do something there. */
export function Entry({ communityId }: { readonly communityId: string }): ReactNode {
  const say = useSay();
  const { client } = useActions().api;
  const [may, setMay] = useState<readonly Permission[]>([]);
  useEffect(() => {
    let left = false;
    client
      .service(PolicyService)
      .listPermissions({ communityId })
      .then(
        ({ permissions }) => left || setMay(permissions),
        () => {},
      );
    return () => void (left = true);
  }, [client, communityId]);
  return (
    <>
      <DropdownMenu.Item className={menuItem} onSelect={() => go({ at: "manage", communityId, page: "events", item: "" })}>
        <CalendarDays size={16} aria-hidden /> {say("events.title")}
      </DropdownMenu.Item>
      {may.some((one) => opens.has(one)) && (
        <DropdownMenu.Item className={menuItem} onSelect={() => go({ at: "manage", communityId, page: "", item: "" })}>
          <Settings size={16} aria-hidden /> {say("manage.entry")}
        </DropdownMenu.Item>
      )}
    </>
  );
}
