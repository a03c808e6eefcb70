import { Inbox, LogOut, type LucideIcon, MessagesSquare, Plus, Settings } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { type ReactNode, useMemo, useState } from "react";

import { currentLanguage, languages, type Language, speak } from "@/i18n";
import { useSay } from "@/rooms/texts";
import { go, type Place } from "@/route";
import { type News, newsOf } from "@/store/news";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";

import { useSession } from "./context";
import { useMutation } from "./mutation";
import { useNarrow } from "./narrow";
import { Avatar, classes, Count, Mark, menuItem, Tile } from "./parts";
import { chooseTheme, chosenTheme, type Theme, themes } from "./theme";

/** The places one belongs to, and oneself. */
export function Rail({ place }: { readonly place: Place }): ReactNode {
  const say = useSay();
  const narrow = useNarrow();
  const communities = useKnown((state) => state.communities);
  const channels = useKnown((state) => state.channels);
  const reads = useKnown((state) => state.reads);
  const conversations = useKnown((state) => state.conversations);
  const news = useMemo(() => {
    const of = (id: string): News => newsOf(reads, (channels[id] ?? []).map((one) => one.id));
    return { of, direct: newsOf(reads, Object.keys(conversations)) };
  }, [channels, reads, conversations]);
  const sorted = Object.values(communities).sort((a, b) => (a.id < b.id ? -1 : 1));
  return (
    <nav
      aria-label={say("rail.label")}
      className="flex shrink-0 gap-1 bg-ground mid:w-16 max-mid:overflow-x-auto max-mid:px-2 max-mid:pt-2 mid:min-h-0 mid:flex-col mid:overflow-y-auto mid:py-2"
    >
      {narrow || (
        <>
          <RailLink to={{ at: "home" }} label={say("rail.home")} current={place.at === "home"} news={undefined}>
            <span className="grid size-10.5 place-items-center">
              <Mark size={30} />
            </span>
          </RailLink>
          <RailLink to={{ at: "direct", conversationId: "" }} label={say("list.direct")} current={place.at === "direct"} news={counted(news.direct)}>
            <RailSign icon={MessagesSquare} />
          </RailLink>
          <RailLink to={{ at: "catch-up" }} label={say("catchUp.title")} current={place.at === "catch-up"} news={undefined}>
            <RailSign icon={Inbox} />
          </RailLink>
          <span className="mx-5 my-1 h-px bg-line-strong opacity-35" />
        </>
      )}
      {sorted.map((one) => (
        <RailLink
          key={one.id}
          to={{ at: "channel", communityId: one.id, channelId: "" }}
          label={one.name}
          current={place.at === "channel" && place.communityId === one.id}
          news={news.of(one.id)}
        >
          <Tile id={one.id} />
        </RailLink>
      ))}
      <RailLink to={{ at: "home" }} label={say("rail.add")} current={false} news={undefined}>
        <span className="grid size-10.5 place-items-center rounded-[13px] text-muted shadow-[inset_0_0_0_1.5px_color-mix(in_oklch,var(--line-strong)_55%,transparent)]">
          <Plus size={18} strokeWidth={1.75} aria-hidden />
        </span>
      </RailLink>
      <span className="grow" />
      {narrow || <You />}
    </nav>
  );
}

/** What is new, as a count even where nobody is mentioned: somebody wrote to oneself. */
export function counted({ unread, mentions }: News): News {
  return { unread: false, mentions: unread ? Math.max(1, mentions) : 0 };
}

function RailSign({ icon: Icon }: { readonly icon: LucideIcon }): ReactNode {
  return (
    <span className="grid size-10.5 place-items-center rounded-[13px] text-muted">
      <Icon size={22} strokeWidth={1.6} aria-hidden />
    </span>
  );
}

interface RailLinkProps {
  readonly to: Place;
  readonly label: string;
  readonly current: boolean;
  readonly news: News | undefined;
  readonly children: ReactNode;
}

function RailLink({ to, label, current, news, children }: RailLinkProps): ReactNode {
  const say = useSay();
  const name =
    news === undefined
      ? label
      : news.mentions > 0
        ? say("rail.mentions", { name: label, count: news.mentions })
        : news.unread
          ? say("rail.unread", { name: label })
          : label;
  return (
    <button
      type="button"
      aria-label={name}
      title={label}
      aria-current={current ? "page" : undefined}
      onClick={() => go(to)}
      className={classes(
        "relative grid shrink-0 place-items-center max-mid:h-14.5 max-mid:w-14 max-mid:rounded-t-[17px] mid:ms-1.5 mid:h-13.5 mid:rounded-s-[17px] mid:pe-1",
        current && "bg-surface",
      )}
    >
      {children}
      {news !== undefined && news.mentions > 0 && (
        <span className="absolute end-1 top-0.5 rounded-full shadow-[0_0_0_2.5px_var(--ground)]">
          <Count>{news.mentions}</Count>
        </span>
      )}
      {news !== undefined && news.mentions === 0 && news.unread && !current && (
        <span className="absolute start-0 top-1/2 size-1.5 -translate-y-1/2 rounded-full bg-text" />
      )}
    </button>
  );
}

function You(): ReactNode {
  const say = useSay();
  const session = useSession();
  const me = useKnown((state) => state.me);
  const [theme, setTheme] = useState(chosenTheme);
  const out = useMutation(() => session.signOut());
  if (me === undefined) return null;
  const names: Record<Theme, string> = {
    system: say("you.themeSystem"),
    light: say("you.themeLight"),
    dark: say("you.themeDark"),
  };
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger
        aria-label={say("rail.you", { name: nameOf(me) })}
        className="grid shrink-0 place-items-center max-mid:h-14.5 max-mid:w-14 mid:h-13.5"
      >
        <Avatar id={me.id} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          side="right"
          align="end"
          sideOffset={8}
          className="z-50 grid min-w-56 gap-px rounded-card bg-overlay p-1.5 text-14 shadow-2"
        >
          <DropdownMenu.Label className="px-2.5 pt-1.5 pb-2">
            <b className="block font-semibold">{me.displayName}</b>
            <span className="text-12 text-faint">@{me.handle}</span>
          </DropdownMenu.Label>
          <DropdownMenu.Label className="px-2.5 pt-1 text-12 text-faint">{say("you.theme")}</DropdownMenu.Label>
          <DropdownMenu.RadioGroup
            value={theme}
            onValueChange={(value) => {
              chooseTheme(value as Theme);
              setTheme(value as Theme);
            }}
          >
            {themes.map((one) => (
              <DropdownMenu.RadioItem key={one} value={one} className={menuItem}>
                <span className="grid size-4 place-items-center">
                  <DropdownMenu.ItemIndicator className="size-2 rounded-full bg-accent" />
                </span>
                {names[one]}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          <DropdownMenu.Label className="px-2.5 pt-2 text-12 text-faint">{say("you.language")}</DropdownMenu.Label>
          <DropdownMenu.RadioGroup value={currentLanguage()} onValueChange={(value) => void speak(value as Language)}>
            {Object.entries(languages).map(([code, name]) => (
              <DropdownMenu.RadioItem key={code} value={code} lang={code} className={menuItem}>
                <span className="grid size-4 place-items-center">
                  <DropdownMenu.ItemIndicator className="size-2 rounded-full bg-accent" />
                </span>
                {name}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          <DropdownMenu.Separator className="my-1.5 h-px bg-line" />
          <DropdownMenu.Item className={menuItem} onSelect={() => go({ at: "settings", page: "", item: "" })}>
            <Settings size={16} aria-hidden /> {say("you.settings")}
          </DropdownMenu.Item>
          <DropdownMenu.Item className={menuItem} onSelect={() => out.submit()}>
            <LogOut size={16} aria-hidden /> {say("you.signOut")}
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
