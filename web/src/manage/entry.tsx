import { CalendarDays, Settings } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";

import { go } from "@/route";
import { menuItem } from "@/ui/parts";
import { useMayIn } from "@/ui/may";

import { opens } from "./needs";
import { useSay } from "./texts";

/** What the menu of a place offers besides: its events, and its settings where one may do something there. */
export function Entry({ communityId }: { readonly communityId: string }): ReactNode {
  const say = useSay();
  const may = useMayIn(communityId);
  return (
    <>
      <DropdownMenu.Item className={menuItem} onSelect={() => go({ at: "manage", communityId, page: "events", item: "" })}>
        <CalendarDays size={16} aria-hidden /> {say("events.title")}
      </DropdownMenu.Item>
      {[...opens].some(may) && (
        <DropdownMenu.Item className={menuItem} onSelect={() => go({ at: "manage", communityId, page: "", item: "" })}>
          <Settings size={16} aria-hidden /> {say("manage.entry")}
        </DropdownMenu.Item>
      )}
    </>
  );
}
