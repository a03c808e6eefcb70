import { CircleUserRound, House, Inbox, type LucideIcon, MessageCircle } from "lucide-react";
import { type ReactNode, useMemo } from "react";

import { useSay } from "@/rooms/texts";
import { go, type Place } from "@/route";
import { newsOf } from "@/store/news";
import { useKnown } from "@/store/react";

import { classes, Count } from "./parts";
import { counted } from "./rail";

/** On a phone, at the foot: the four things the app is. */
export function Tabs({ place }: { readonly place: Place }): ReactNode {
  const say = useSay();
  const reads = useKnown((state) => state.reads);
  const conversations = useKnown((state) => state.conversations);
  const first = useKnown((state) => Object.keys(state.communities).sort()[0]);
  const direct = useMemo(() => counted(newsOf(reads, Object.keys(conversations))).mentions, [reads, conversations]);
  const places: Place = first === undefined ? { at: "home" } : { at: "channel", communityId: first, channelId: "" };
  return (
    <nav aria-label={say("tabs.label")} className="grid shrink-0 grid-cols-4 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)]">
      <Tab icon={House} label={say("rail.label")} to={places} current={place.at === "channel" || place.at === "home"} />
      <Tab icon={MessageCircle} label={say("tabs.messages")} to={{ at: "direct", conversationId: "" }} current={place.at === "direct"} count={direct} />
      <Tab icon={Inbox} label={say("catchUp.title")} to={{ at: "catch-up" }} current={place.at === "catch-up"} />
      <Tab icon={CircleUserRound} label={say("tabs.you")} to={{ at: "settings", page: "", item: "" }} current={place.at === "settings"} />
    </nav>
  );
}

interface TabProps {
  readonly icon: LucideIcon;
  readonly label: string;
  readonly to: Place;
  readonly current: boolean;
  readonly count?: number;
}

function Tab({ icon: Icon, label, to, current, count = 0 }: TabProps): ReactNode {
  return (
    <button
      type="button"
      aria-current={current ? "page" : undefined}
      onClick={() => go(to)}
      className={classes("grid justify-items-center gap-0.5 py-2 text-11 font-medium focus-visible:-outline-offset-2", current ? "text-accent-text" : "text-muted")}
    >
      <span className={classes("relative grid h-7 w-13.5 place-items-center rounded-full", current && "bg-accent-soft")}>
        <Icon size={22} strokeWidth={1.75} aria-hidden />
        {count > 0 && (
          <span className="absolute -end-0.5 -top-1">
            <Count>{count}</Count>
          </span>
        )}
      </span>
      {label}
    </button>
  );
}
