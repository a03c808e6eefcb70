import { ArrowLeft, Hash, Link2, Lock, LogOut, MessageCircle, MessagesSquare, Plus, UserRound, Users } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { type ReactNode, useMemo, useState, useSyncExternalStore } from "react";

import type { Channel } from "@creavio/client/community/v1/channel";
import { ChannelType } from "@creavio/client/community/v1/channel";
import { currentLanguage, languages, type Language, speak, useSay } from "@/i18n";
import { go, type Place } from "@/route";
import type { State } from "@/store/state";
import { useKnown } from "@/store/react";

import { useActions } from "./context";
import { First } from "./first";
import { hueOf } from "./hue";
import { useMutation } from "./mutation";
import { Avatar, Button, classes, Count, Dialog, Field, IconButton, Mark, Tile } from "./parts";
import { People } from "./people";
import { RoomPage } from "./room";
import { chooseTheme, chosenTheme, type Theme, themes } from "./theme";

/** Everything inside: the places, the channels of one, and what is said there. */
export function Shell({ place }: { readonly place: Place }): ReactNode {
  const open = place.at === "channel" ? place.channelId !== "" : place.at === "direct" ? place.conversationId !== "" : true;
  const listed = place.at === "channel" || place.at === "direct";
  // A phone shows the list or the page: whichever it is, is what the window is about.
  const alone = useNarrow() && listed && !open;
  const [people, setPeople] = useState(false);
  const beside = people && place.at === "channel" && place.channelId !== "";
  const Beside = alone ? "main" : "div";
  return (
    <div className="flex h-dvh overflow-hidden max-mid:flex-col">
      <Rail place={place} hidden={open && listed} />
      <div
        className={classes(
          "grid min-h-0 min-w-0 grow grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)] mid:py-2 mid:pe-2",
          listed && !beside && "mid:grid-cols-[14.5rem_minmax(0,1fr)] wide:grid-cols-[16rem_minmax(0,1fr)]",
          beside && "mid:grid-cols-[minmax(0,1fr)_auto] mid:gap-x-2 wide:grid-cols-[16rem_minmax(0,1fr)_auto]",
        )}
      >
        {listed && (
          <Beside className={classes("grid min-h-0 grid-cols-[minmax(0,1fr)]", beside && "mid:max-wide:hidden wide:-me-2")}>
            {place.at === "channel" && <ChannelList communityId={place.communityId} current={place.channelId} />}
            {place.at === "direct" && <DirectList current={place.conversationId} />}
          </Beside>
        )}
        {alone || (
        <main
          className={classes(
            "flex min-h-0 min-w-0 flex-col bg-raised shadow-1 mid:rounded-card",
            listed && (beside ? "wide:rounded-s-none" : "mid:rounded-s-none"),
          )}
        >
          {place.at === "channel" && place.channelId !== "" && <ChannelPage {...place} people={people} onPeople={() => setPeople(!people)} />}
          {place.at === "direct" && place.conversationId !== "" && <DirectPage conversationId={place.conversationId} />}
          {(!listed || !open) && (listed ? <Waiting /> : <First code={place.at === "invite" ? place.code : ""} />)}
        </main>
        )}
        {beside && <People communityId={place.communityId} onClose={() => setPeople(false)} />}
      </div>
    </div>
  );
}

/** Whether the window is as narrow as a phone. */
function useNarrow(): boolean {
  const query = "(max-width: 640px)";
  return useSyncExternalStore(
    (tell) => {
      const narrow = matchMedia(query);
      narrow.addEventListener("change", tell);
      return () => narrow.removeEventListener("change", tell);
    },
    () => matchMedia(query).matches,
  );
}

function Waiting(): ReactNode {
  return (
    <div className="grid grow place-items-center">
      <Mark size={72} className="opacity-50" />
    </div>
  );
}

interface News {
  readonly unread: boolean;
  readonly mentions: number;
}

function newsOf(state: State, ids: readonly string[]): News {
  let unread = false;
  let mentions = 0;
  for (const id of ids) {
    const read = state.reads[id];
    if (read === undefined) continue;
    unread ||= read.unreadCount > 0;
    mentions += read.mentionCount;
  }
  return { unread, mentions };
}

function Rail({ place, hidden }: { readonly place: Place; readonly hidden: boolean }): ReactNode {
  const say = useSay();
  const communities = useKnown((state) => state.communities);
  const channels = useKnown((state) => state.channels);
  const reads = useKnown((state) => state.reads);
  const conversations = useKnown((state) => state.conversations);
  const news = useMemo(() => {
    const state = { reads } as State;
    const of = (id: string): News => newsOf(state, (channels[id] ?? []).map((one) => one.id));
    return { of, direct: newsOf(state, Object.keys(conversations)) };
  }, [channels, reads, conversations]);
  const sorted = Object.values(communities).sort((a, b) => (a.id < b.id ? -1 : 1));
  return (
    <nav
      aria-label={say("rail.label")}
      className={classes(
        "flex shrink-0 gap-1 bg-ground mid:w-16 max-mid:overflow-x-auto max-mid:px-2 max-mid:pt-2 mid:min-h-0 mid:flex-col mid:overflow-y-auto mid:py-2",
        hidden && "max-mid:hidden",
      )}
    >
      <RailLink to={{ at: "home" }} label={say("rail.home")} current={place.at === "home"} news={undefined}>
        <span className="grid size-10.5 place-items-center">
          <Mark size={30} />
        </span>
      </RailLink>
      <RailLink
        to={{ at: "direct", conversationId: "" }}
        label={say("list.direct")}
        current={place.at === "direct"}
        news={{ unread: false, mentions: news.direct.unread ? Math.max(1, news.direct.mentions) : 0 }}
      >
        <span className="grid size-10.5 place-items-center rounded-[13px] text-muted">
          <MessagesSquare size={22} strokeWidth={1.6} aria-hidden />
        </span>
      </RailLink>
      <span className="mx-5 my-1 h-px bg-line-strong opacity-35 max-mid:hidden" />
      {sorted.map((one) => (
        <RailLink
          key={one.id}
          to={{ at: "channel", communityId: one.id, channelId: "" }}
          label={one.name}
          current={place.at === "channel" && place.communityId === one.id}
          news={news.of(one.id)}
        >
          <Tile id={one.id} name={one.name} />
        </RailLink>
      ))}
      <RailLink to={{ at: "home" }} label={say("rail.add")} current={false} news={undefined}>
        <span className="grid size-10.5 place-items-center rounded-[13px] text-muted shadow-[inset_0_0_0_1.5px_color-mix(in_oklch,var(--line-strong)_55%,transparent)]">
          <Plus size={18} strokeWidth={1.75} aria-hidden />
        </span>
      </RailLink>
      <span className="grow" />
      <You />
    </nav>
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
  const actions = useActions();
  const me = useKnown((state) => state.me);
  const [theme, setTheme] = useState(chosenTheme);
  const out = useMutation(() => actions.signOut());
  if (me === undefined) return null;
  const item = "flex min-h-9 cursor-default items-center gap-2.5 rounded-control px-2.5 outline-none data-[highlighted]:bg-hover";
  const names: Record<Theme, string> = {
    system: say("you.themeSystem"),
    light: say("you.themeLight"),
    dark: say("you.themeDark"),
  };
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger
        aria-label={say("rail.you", { name: me.displayName || me.handle })}
        className="grid shrink-0 place-items-center max-mid:h-14.5 max-mid:w-14 mid:h-13.5"
      >
        <Avatar id={me.id} name={me.displayName || me.handle} />
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
              <DropdownMenu.RadioItem key={one} value={one} className={item}>
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
              <DropdownMenu.RadioItem key={code} value={code} lang={code} className={item}>
                <span className="grid size-4 place-items-center">
                  <DropdownMenu.ItemIndicator className="size-2 rounded-full bg-accent" />
                </span>
                {name}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          <DropdownMenu.Separator className="my-1.5 h-px bg-line" />
          <DropdownMenu.Item className={item} onSelect={() => out.submit()}>
            <LogOut size={16} aria-hidden /> {say("you.signOut")}
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function ListSheet({ label, hidden, children }: { readonly label: string; readonly hidden: boolean; readonly children: ReactNode }): ReactNode {
  return (
    <nav
      aria-label={label}
      className={classes(
        "flex min-h-0 flex-col overflow-hidden bg-surface mid:rounded-s-card max-mid:rounded-t-card",
        hidden && "max-mid:hidden",
      )}
    >
      {children}
    </nav>
  );
}

interface RowProps {
  readonly to: Place;
  readonly sign: ReactNode;
  readonly current: boolean;
  readonly news: News;
  readonly children: ReactNode;
}

function Row({ to, sign, current, news, children }: RowProps): ReactNode {
  return (
    <li className="relative">
      <button
        type="button"
        aria-current={current ? "page" : undefined}
        onClick={() => go(to)}
        className={classes(
          "flex min-h-8 w-full items-center gap-2.5 rounded-[8px] px-2.5 text-start max-mid:min-h-11 max-mid:text-15",
          current ? "bg-hue-soft font-semibold text-text" : news.unread ? "font-semibold text-text hover:bg-hover" : "text-muted hover:bg-hover",
        )}
      >
        {sign}
        <span className="min-w-0 grow truncate">{children}</span>
        {news.mentions > 0 && <Count>{news.mentions}</Count>}
      </button>
      {news.unread && !current && (
        <span aria-hidden className="absolute -start-1 top-1/2 size-1.25 -translate-y-1/2 rounded-full bg-text" />
      )}
    </li>
  );
}

function ChannelList({ communityId, current }: { readonly communityId: string; readonly current: string }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const community = useKnown((state) => state.communities[communityId]);
  const channels = useKnown((state) => state.channels[communityId]);
  const reads = useKnown((state) => state.reads);
  const [dialog, setDialog] = useState<"channel" | "invite" | "leave">();
  if (community === undefined) return null;
  const item = "flex min-h-9 cursor-default items-center gap-2.5 rounded-control px-2.5 outline-none data-[highlighted]:bg-hover";
  return (
    <ListSheet label={say("list.label", { name: community.name })} hidden={current !== ""}>
      {current === "" && <h1 className="sr-only">{community.name}</h1>}
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger
          className={classes("bg-hue-soft px-4 py-3.5 text-start text-hue-ink focus-visible:-outline-offset-2", hueOf(communityId))}
        >
          <b className="block truncate font-display text-17 font-bold tracking-[-0.012em]">{community.name}</b>
          {community.description !== "" && <span className="block truncate text-12">{community.description}</span>}
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content align="start" sideOffset={4} className="z-50 grid min-w-56 gap-px rounded-card bg-overlay p-1.5 shadow-2">
            <DropdownMenu.Item className={item} onSelect={() => setDialog("invite")}>
              <Link2 size={16} aria-hidden /> {say("list.invite")}
            </DropdownMenu.Item>
            <DropdownMenu.Item className={item} onSelect={() => setDialog("channel")}>
              <Plus size={16} aria-hidden /> {say("list.newChannel")}
            </DropdownMenu.Item>
            <DropdownMenu.Separator className="my-1.5 h-px bg-line" />
            <DropdownMenu.Item className={classes(item, "text-danger")} onSelect={() => setDialog("leave")}>
              <LogOut size={16} aria-hidden /> {say("list.leave")}
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <div className={classes("min-h-0 grow overflow-y-auto px-2 py-2.5", hueOf(communityId))}>
        {channels !== undefined && channels.length === 0 && <p className="px-2.5 py-2 text-13 text-muted">{say("list.empty")}</p>}
        <ul className="grid gap-px">
          {channels?.map((one) => (
            <Row
              key={one.id}
              to={{ at: "channel", communityId, channelId: one.id }}
              sign={<Sign channel={one} />}
              current={one.id === current}
              news={newsOf({ reads } as State, [one.id])}
            >
              {one.name}
            </Row>
          ))}
        </ul>
        <Button look="quiet" className="mt-1 min-h-8! w-full justify-start! px-2.5!" onClick={() => setDialog("channel")}>
          <Plus size={16} aria-hidden /> {say("list.newChannel")}
        </Button>
      </div>
      <Dialog title={say("list.newChannel")} open={dialog === "channel"} onClose={() => setDialog(undefined)}>
        <NewChannel communityId={communityId} onDone={() => setDialog(undefined)} />
      </Dialog>
      <Dialog title={say("list.invite")} open={dialog === "invite"} onClose={() => setDialog(undefined)}>
        <Invite communityId={communityId} />
      </Dialog>
      <Dialog title={say("list.leave")} open={dialog === "leave"} onClose={() => setDialog(undefined)}>
        <Leave
          name={community.name}
          leave={async () => {
            await actions.leave(communityId);
            go({ at: "home" }, "replace");
          }}
          onClose={() => setDialog(undefined)}
        />
      </Dialog>
    </ListSheet>
  );
}

function Sign({ channel }: { readonly channel: Channel }): ReactNode {
  const Icon = channel.private ? Lock : channel.type === ChannelType.FORUM ? MessageCircle : Hash;
  return <Icon size={16} strokeWidth={1.75} aria-hidden className="shrink-0" />;
}

function NewChannel({ communityId, onDone }: { readonly communityId: string; readonly onDone: () => void }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [name, setName] = useState("");
  const [secret, setSecret] = useState(false);
  const done = useMutation(async () => {
    const channelId = await actions.openChannel(communityId, name, secret);
    onDone();
    go({ at: "channel", communityId, channelId });
  });
  return (
    <form className="grid gap-4" onSubmit={done.submit}>
      <Field
        label={say("list.channelName")}
        hint={say("list.channelHint")}
        required
        autoFocus
        maxLength={64}
        value={name}
        error={done.error}
        onChange={(event) => setName(event.target.value)}
      />
      <label className="flex items-center gap-2.5">
        <input type="checkbox" className="size-4.5 accent-accent" checked={secret} onChange={(event) => setSecret(event.target.checked)} />
        {say("list.private")}
      </label>
      <Button type="submit" look="primary" disabled={done.busy}>
        {say("list.create")}
      </Button>
    </form>
  );
}

function Invite({ communityId }: { readonly communityId: string }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [link, setLink] = useState("");
  const [copied, setCopied] = useState(false);
  const made = useMutation(async () => setLink(`${location.origin}/invite/${await actions.invite(communityId)}`));
  return (
    <div className="grid gap-4">
      <p className="text-muted">{say("list.inviteLead")}</p>
      {link === "" ? (
        <Button look="primary" disabled={made.busy} onClick={() => made.submit()}>
          <Link2 size={16} aria-hidden /> {say("list.invite")}
        </Button>
      ) : (
        <div className="flex items-end gap-2">
          <Field label={say("list.invite")} readOnly value={link} className="grow" onFocus={(event) => event.target.select()} />
          <Button className="min-h-10!" onClick={() => void navigator.clipboard.writeText(link).then(() => setCopied(true))}>
            {say(copied ? "common.copied" : "common.copy")}
          </Button>
        </div>
      )}
      {made.error !== undefined && <p role="alert" className="text-13 text-danger">{made.error}</p>}
    </div>
  );
}

interface LeaveProps {
  readonly name: string;
  readonly leave: () => Promise<void>;
  readonly onClose: () => void;
}

function Leave({ name, leave, onClose }: LeaveProps): ReactNode {
  const say = useSay();
  const done = useMutation(leave);
  return (
    <div className="grid gap-4">
      <p className="text-muted">{say("list.leaveSure", { name })}</p>
      {done.error !== undefined && <p role="alert" className="text-13 text-danger">{done.error}</p>}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>{say("common.cancel")}</Button>
        <Button look="danger" disabled={done.busy} onClick={() => done.submit()}>
          {say("list.leave")}
        </Button>
      </div>
    </div>
  );
}

function DirectList({ current }: { readonly current: string }): ReactNode {
  const say = useSay();
  const conversations = useKnown((state) => state.conversations);
  const state = useKnown((all) => all);
  const sorted = Object.values(conversations).sort((a, b) => (a.id < b.id ? 1 : -1));
  return (
    <ListSheet label={say("list.direct")} hidden={current !== ""}>
      <h1 className="px-4 py-3.5 font-display text-17 font-bold tracking-[-0.012em]">{say("list.direct")}</h1>
      <div className="min-h-0 grow overflow-y-auto px-2 pb-2.5">
        {sorted.length === 0 && <p className="px-2.5 text-13 text-muted">{say("list.noDirect")}</p>}
        <ul className="grid gap-px">
          {sorted.map((one) => {
            const name = nameOfConversation(state, one.id);
            const other = one.memberIds.find((id) => id !== state.me?.id) ?? one.id;
            return (
              <Row
                key={one.id}
                to={{ at: "direct", conversationId: one.id }}
                sign={<Avatar id={other} name={name} size="s" />}
                current={one.id === current}
                news={newsOf(state, [one.id])}
              >
                {name}
              </Row>
            );
          })}
        </ul>
      </div>
    </ListSheet>
  );
}

function nameOfConversation(state: State, id: string): string {
  const one = state.conversations[id];
  if (one === undefined) return "";
  if (one.name !== "") return one.name;
  const others = one.memberIds.filter((member) => member !== state.me?.id);
  return others.map((member) => state.users[member]?.displayName || state.users[member]?.handle || "…").join(", ");
}

interface ChannelPageProps {
  readonly communityId: string;
  readonly channelId: string;
  readonly people: boolean;
  readonly onPeople: () => void;
}

function ChannelPage({ communityId, channelId, people, onPeople }: ChannelPageProps): ReactNode {
  const say = useSay();
  const channel = useKnown((state) => state.channels[communityId]?.find((one) => one.id === channelId));
  const known = useKnown((state) => communityId in state.channels);
  if (channel === undefined) {
    return known ? <p className="p-6 text-muted">{say("channel.gone")}</p> : null;
  }
  return (
    <RoomPage
      key={channelId}
      roomId={channelId}
      communityId={communityId}
      name={`#${channel.name}`}
      topic={channel.topic}
      start={say("channel.start", { name: channel.name })}
      sign={<Sign channel={channel} />}
      back={<Back to={{ at: "channel", communityId, channelId: "" }} />}
      title={channel.name}
      more={
        <IconButton label={say("people.title")} aria-pressed={people} onClick={onPeople}>
          <Users size={18} strokeWidth={1.75} aria-hidden />
        </IconButton>
      }
    />
  );
}

function DirectPage({ conversationId }: { readonly conversationId: string }): ReactNode {
  const say = useSay();
  const name = useKnown((state) => nameOfConversation(state, conversationId));
  const there = useKnown((state) => conversationId in state.conversations);
  if (!there) return null;
  return (
    <RoomPage
      key={conversationId}
      roomId={conversationId}
      communityId=""
      name={name}
      topic=""
      start={say("channel.startDirect", { name })}
      sign={<UserRound size={18} strokeWidth={1.75} aria-hidden />}
      back={<Back to={{ at: "direct", conversationId: "" }} />}
      title={name}
    />
  );
}

function Back({ to }: { readonly to: Place }): ReactNode {
  const say = useSay();
  return (
    <IconButton label={say("common.back")} className="mid:hidden" onClick={() => go(to)}>
      <ArrowLeft size={20} strokeWidth={1.75} aria-hidden className="rtl:-scale-x-100" />
    </IconButton>
  );
}

