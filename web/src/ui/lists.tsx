import { Link2, LogOut, PenLine, Plus } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { type ReactNode, useState } from "react";

import { useSay } from "@/rooms/texts";
import type { Category } from "@creavio/client/community/v1/category";
import type { Channel } from "@creavio/client/community/v1/channel";
import { Permission } from "@creavio/client/options/v1/permission";
import { NewConversation } from "@/rooms/group";
import { go, type Place } from "@/route";
import { nameOfConversation } from "@/store/names";
import { type News, newsOf } from "@/store/news";
import { useKnown, useParts } from "@/store/react";

import { useActions } from "./context";
import { hueOf } from "./hue";
import { ManageEntry } from "./late";
import { Invite, Leave, NewChannel } from "./list-dialogs";
import { useMayIn } from "./may";
import { Avatar, Button, classes, Count, Dialog, IconButton, menuItem } from "./parts";
import { Sign } from "./sign";

function ListSheet({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  return (
    <nav
      aria-label={label}
      className="flex min-h-0 flex-col overflow-hidden bg-surface mid:rounded-s-card max-mid:rounded-t-card"
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

/** The channels of a community, and what one can do with it. */
export function ChannelList({ communityId, current }: { readonly communityId: string; readonly current: string }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const community = useKnown((state) => state.communities[communityId]);
  const channels = useKnown((state) => state.channels[communityId]);
  const categories = useKnown((state) => state.categories[communityId]);
  const reads = useKnown((state) => state.reads);
  const may = useMayIn(communityId);
  const opens = may(Permission.MANAGE_CHANNELS);
  const invites = may(Permission.CREATE_INVITES);
  const [dialog, setDialog] = useState<"channel" | "invite" | "leave">();
  if (community === undefined) return null;
  return (
    <ListSheet label={say("list.label", { name: community.name })}>
      {current === "" && <h1 className="sr-only">{community.name}</h1>}
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger
          className={classes("bg-hue-soft px-4 py-3.5 text-start text-hue-ink focus-visible:-outline-offset-2", hueOf(communityId))}
        >
          <b className="block truncate font-display text-17 font-bold tracking-[-0.012em]">{community.name}</b>
          <span className="block truncate text-12">
            {say(community.memberCount === 1 ? "first.memberOne" : "first.members", { count: community.memberCount })}
          </span>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content align="start" sideOffset={4} className="z-50 grid min-w-56 gap-px rounded-card bg-overlay p-1.5 shadow-2">
            {invites && (
              <DropdownMenu.Item className={menuItem} onSelect={() => setDialog("invite")}>
                <Link2 size={16} aria-hidden /> {say("list.invite")}
              </DropdownMenu.Item>
            )}
            {opens && (
              <DropdownMenu.Item className={menuItem} onSelect={() => setDialog("channel")}>
                <Plus size={16} aria-hidden /> {say("list.newChannel")}
              </DropdownMenu.Item>
            )}
            <ManageEntry communityId={communityId} />
            <DropdownMenu.Separator className="my-1.5 h-px bg-line" />
            <DropdownMenu.Item className={classes(menuItem, "text-danger")} onSelect={() => setDialog("leave")}>
              <LogOut size={16} aria-hidden /> {say("list.leave")}
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <div className={classes("min-h-0 grow overflow-y-auto px-2 py-2.5", hueOf(communityId))}>
        {channels !== undefined && channels.length === 0 && <p className="px-2.5 py-2 text-13 text-muted">{say(opens ? "list.empty" : "list.none")}</p>}
        {grouped(channels ?? [], categories ?? []).map(({ category, channels: under }) => (
          <section key={category?.id ?? ""} aria-label={category?.name}>
            {category !== undefined && <h2 className="truncate px-2.5 pt-3.5 pb-1 text-12 font-medium text-faint">{category.name}</h2>}
            <ul className="grid gap-px">
              {under.map((one) => (
                <Row
                  key={one.id}
                  to={{ at: "channel", communityId, channelId: one.id }}
                  sign={<Sign channel={one} />}
                  current={one.id === current}
                  news={newsOf(reads, [one.id])}
                >
                  {one.name}
                </Row>
              ))}
            </ul>
          </section>
        ))}
        {opens && (
          <Button look="quiet" className="mt-1 min-h-8! w-full justify-start! px-2.5!" onClick={() => setDialog("channel")}>
            <Plus size={16} aria-hidden /> {say("list.newChannel")}
          </Button>
        )}
      </div>
      <Dialog title={say("list.newChannel")} open={dialog === "channel"} onClose={() => setDialog(undefined)}>
        <NewChannel communityId={communityId} onDone={() => setDialog(undefined)} />
      </Dialog>
      <Dialog title={say("list.invite")} open={dialog === "invite"} onClose={() => setDialog(undefined)}>
        <Invite communityId={communityId} />
      </Dialog>
      {dialog === "leave" && (
        <Leave
          name={community.name}
          leave={async () => {
            await actions.leave(communityId);
            go({ at: "home" }, "replace");
          }}
          onClose={() => setDialog(undefined)}
        />
      )}
    </ListSheet>
  );
}

interface Under {
  readonly category: Category | undefined;
  readonly channels: readonly Channel[];
}

/** Channels under their headings, those under none first; headings that hold none are left out. */
function grouped(channels: readonly Channel[], categories: readonly Category[]): readonly Under[] {
  const known = new Set(categories.map((one) => one.id));
  const under = (id: string): readonly Channel[] => channels.filter((one) => (known.has(one.categoryId) ? one.categoryId : "") === id);
  const all = [{ category: undefined, channels: under("") }, ...categories.map((category) => ({ category, channels: under(category.id) }))];
  return all.filter((one) => one.channels.length > 0);
}

/** With whom one talks alone. */
export function DirectList({ current }: { readonly current: string }): ReactNode {
  const say = useSay();
  const [writing, setWriting] = useState(false);
  const state = useParts("conversations", "me", "users", "reads");
  const sorted = Object.values(state.conversations).sort((a, b) => (a.id < b.id ? 1 : -1));
  return (
    <ListSheet label={say("list.direct")}>
      <div className="flex items-center gap-2 py-2 ps-4 pe-2">
        <h1 className="grow font-display text-17 font-bold tracking-[-0.012em]">{say("list.direct")}</h1>
        <IconButton label={say("group.title")} onClick={() => setWriting(true)}>
          <PenLine size={18} strokeWidth={1.75} aria-hidden />
        </IconButton>
      </div>
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
                sign={<Avatar id={other} size="s" />}
                current={one.id === current}
                news={newsOf(state.reads, [one.id])}
              >
                {name}
              </Row>
            );
          })}
        </ul>
      </div>
      <Dialog title={say("group.title")} open={writing} onClose={() => setWriting(false)}>
        <NewConversation onDone={() => setWriting(false)} />
      </Dialog>
    </ListSheet>
  );
}
