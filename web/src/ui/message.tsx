import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Clock, Link2, MoreHorizontal, Pencil, Reply, SmilePlus, Trash2 } from "lucide-react";
import { DropdownMenu, Popover } from "radix-ui";
import { memo, type ReactNode, useMemo, useState } from "react";

import type { Message } from "@creavio/client/chat/v1/message";
import { type Key, say as sayNow, useSay } from "@/i18n";
import { go, pathOf } from "@/route";
import type { Outgoing } from "@/store/state";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { Markdown, type References } from "@/text/markdown";

import { useActions } from "./context";
import { clock, whole } from "./dates";
import { useMutation } from "./mutation";
import { Avatar, Button, classes, Dialog, IconButton, menuItem, Wrong } from "./parts";
import { Profile } from "./profile";

const frequent = ["👍", "💚"];
const offered = ["👍", "💚", "😂", "🎉", "😮", "😢", "🙏", "👀", "🔥", "✅", "👋", "🌱"];

interface MessageRowProps {
  readonly message: Message;
  readonly communityId: string;
  /** Whether it goes on what the same person said just before. */
  readonly grouped: boolean;
  readonly onReply: (message: Message) => void;
}

/** A message: who, when, what, and what one can do with it. */
export const MessageRow = memo(function MessageRow({ message, communityId, grouped, onReply }: MessageRowProps): ReactNode {
  const say = useSay();
  const author = useKnown((state) => state.users[message.authorId]);
  const me = useKnown((state) => state.me);
  const [editing, setEditing] = useState(false);
  const references = useReferences(communityId);
  const name = nameOf(author, say("message.unknown"));
  const time = message.createTime === undefined ? new Date(0) : timestampDate(message.createTime);
  const forMe = message.authorId !== me?.id && (message.mentions?.everyone === true || message.mentions?.userIds.includes(me?.id ?? ""));
  return (
    <article
      id={message.id}
      aria-label={`${name}, ${whole(time)}`}
      className={classes(
        "group relative grid grid-cols-[2.25rem_minmax(0,1fr)] gap-x-3 px-3.5 mid:px-5",
        grouped ? "py-0.5" : "pt-1.75 pb-1",
        forMe === true ? "bg-mention-soft shadow-[inset_3px_0_0_var(--mention)] rtl:shadow-[inset_-3px_0_0_var(--mention)]" : "hover:bg-row-hover focus-within:bg-row-hover",
      )}
    >
      {grouped ? (
        <time
          dateTime={time.toISOString()}
          className="pt-1 text-end text-11 text-faint tabular-nums opacity-0 group-focus-within:opacity-100 group-hover:opacity-100"
        >
          {clock(time)}
        </time>
      ) : (
        <Profile id={message.authorId} name={name} className="self-start rounded-full">
          <Avatar id={message.authorId} name={name} />
        </Profile>
      )}
      <div className="min-w-0 max-w-[44rem]">
        {!grouped && (
          <p className="flex min-w-0 items-baseline gap-2">
            <b className="min-w-0 truncate text-15 font-semibold" dir="auto">
              {name}
            </b>
            <time dateTime={time.toISOString()} title={whole(time)} className="shrink-0 text-12 text-faint tabular-nums">
              {clock(time)}
            </time>
          </p>
        )}
        {message.replyTo !== undefined && <Quote of={message.replyTo} />}
        {editing ? (
          <Edit message={message} onDone={() => setEditing(false)} />
        ) : (
          <div dir="auto" className="text-15 [overflow-wrap:anywhere]">
            <Markdown text={message.content} to={references} />
            {message.editTime !== undefined && <span className="text-12 text-faint"> {say("message.edited")}</span>}
          </div>
        )}
        {message.reactions.length > 0 && <Reactions message={message} />}
      </div>
      <Tools message={message} communityId={communityId} name={name} mine={message.authorId === me?.id} onReply={onReply} onEdit={() => setEditing(true)} />
    </article>
  );
});

function useReferences(communityId: string): References {
  const users = useKnown((state) => state.users);
  const channels = useKnown((state) => state.channels[communityId]);
  const meId = useKnown((state) => state.me?.id);
  return useMemo(
    () => ({
      person: (id) => {
        const user = users[id];
        if (user === undefined) return undefined;
        return (
          <span
            className={classes(
              "rounded-small px-1 font-medium",
              id === meId ? "bg-mention text-on-mention" : "bg-accent-soft text-accent-text",
            )}
          >
            @{nameOf(user)}
          </span>
        );
      },
      channel: (id) => {
        const channel = channels?.find((one) => one.id === id);
        if (channel === undefined) return undefined;
        const place = { at: "channel", communityId, channelId: id } as const;
        return (
          <a
            href={pathOf(place)}
            className="rounded-small bg-accent-soft px-1 font-medium text-accent-text"
            onClick={(event) => {
              event.preventDefault();
              go(place);
            }}
          >
            #{channel.name}
          </a>
        );
      },
      role: () => undefined,
    }),
    [users, channels, meId, communityId],
  );
}

function Quote({ of }: { readonly of: NonNullable<Message["replyTo"]> }): ReactNode {
  const say = useSay();
  const author = useKnown((state) => state.users[of.authorId]);
  return (
    <button
      type="button"
      className="flex w-full min-w-0 items-center gap-2 border-s-2 border-line-strong ps-2 text-start text-13 text-muted"
      onClick={() => document.getElementById(of.messageId)?.scrollIntoView({ block: "center" })}
    >
      {of.authorId === "" ? (
        say("message.gone")
      ) : (
        <>
          <b className="shrink-0 font-medium">{nameOf(author)}</b>
          <span className="min-w-0 truncate" dir="auto">
            {of.excerpt}
          </span>
        </>
      )}
    </button>
  );
}

function Reactions({ message }: { readonly message: Message }): ReactNode {
  const say = useSay();
  const actions = useActions();
  return (
    <ul className="mt-1 mb-0.5 flex flex-wrap gap-1.5">
      {message.reactions.map(({ emoji, count, reacted }) => (
        <li key={emoji}>
          <button
            type="button"
            aria-pressed={reacted}
            aria-label={`${say("message.react", { emoji })}, ${count}`}
            onClick={() => void actions.react(message, emoji).catch(() => {})}
            className={classes(
              "inline-flex h-6.5 items-center gap-1.5 rounded-full px-2.25 text-13 tabular-nums",
              reacted
                ? "bg-accent-soft font-semibold text-accent-text shadow-[inset_0_0_0_1.5px_var(--accent)]"
                : "bg-sunken text-muted shadow-[inset_0_0_0_1px_var(--line)]",
            )}
          >
            <span className="max-w-16 truncate">{emoji}</span> {count}
          </button>
        </li>
      ))}
    </ul>
  );
}

interface ToolsProps {
  readonly message: Message;
  readonly communityId: string;
  readonly name: string;
  readonly mine: boolean;
  readonly onReply: (message: Message) => void;
  readonly onEdit: () => void;
}

function Tools({ message, communityId, name, mine, onReply, onEdit }: ToolsProps): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [deleting, setDeleting] = useState(false);
  const remove = useMutation(async () => {
    await actions.remove(message.channelId, message.id);
    setDeleting(false);
  });
  const link = `${location.origin}${pathOf(
    communityId === ""
      ? { at: "direct", conversationId: message.channelId }
      : { at: "channel", communityId, channelId: message.channelId },
  )}#${message.id}`;
  return (
    <div
      role="toolbar"
      aria-label={say("message.actions", { name })}
      className="absolute end-3 -top-3.5 hidden items-center rounded-control bg-overlay p-0.5 shadow-2 group-focus-within:flex group-hover:flex has-[[data-state=open]]:flex mid:end-5"
    >
      {frequent.map((emoji) => (
        <IconButton
          key={emoji}
          label={say("message.react", { emoji })}
          className="max-wide:hidden"
          onClick={() => void actions.react(message, emoji).catch(() => {})}
        >
          <span aria-hidden>{emoji}</span>
        </IconButton>
      ))}
      <Popover.Root>
        <Popover.Trigger asChild>
          <IconButton label={say("message.addReaction")}>
            <SmilePlus size={18} strokeWidth={1.75} aria-hidden />
          </IconButton>
        </Popover.Trigger>
        <Popover.Portal>
          <Popover.Content align="end" sideOffset={6} className="z-50 grid grid-cols-6 gap-0.5 rounded-card bg-overlay p-1.5 shadow-2">
            {offered.map((emoji) => (
              <Popover.Close key={emoji} asChild>
                <IconButton label={say("message.react", { emoji })} onClick={() => void actions.react(message, emoji).catch(() => {})}>
                  <span aria-hidden className="text-17">
                    {emoji}
                  </span>
                </IconButton>
              </Popover.Close>
            ))}
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
      <IconButton label={say("message.reply")} onClick={() => onReply(message)}>
        <Reply size={18} strokeWidth={1.75} aria-hidden className="rtl:-scale-x-100" />
      </IconButton>
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger asChild>
          <IconButton label={say("common.more")}>
            <MoreHorizontal size={18} strokeWidth={1.75} aria-hidden />
          </IconButton>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content align="end" sideOffset={6} className="z-50 grid min-w-44 gap-px rounded-card bg-overlay p-1.5 shadow-2">
            <DropdownMenu.Item className={menuItem} onSelect={() => void navigator.clipboard.writeText(link)}>
              <Link2 size={16} aria-hidden /> {say("message.copyLink")}
            </DropdownMenu.Item>
            {mine && (
              <DropdownMenu.Item className={menuItem} onSelect={onEdit}>
                <Pencil size={16} aria-hidden /> {say("message.edit")}
              </DropdownMenu.Item>
            )}
            {mine && (
              <DropdownMenu.Item className={classes(menuItem, "text-danger")} onSelect={() => setDeleting(true)}>
                <Trash2 size={16} aria-hidden /> {say("common.delete")}
              </DropdownMenu.Item>
            )}
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <Dialog title={say("common.delete")} open={deleting} onClose={() => setDeleting(false)}>
        <p className="text-muted">{say("message.deleteSure")}</p>
        <Wrong>{remove.error}</Wrong>
        <div className="flex justify-end gap-2">
          <Button onClick={() => setDeleting(false)}>{say("common.cancel")}</Button>
          <Button look="danger" disabled={remove.busy} onClick={() => remove.submit()}>
            {say("common.delete")}
          </Button>
        </div>
      </Dialog>
    </div>
  );
}

function Edit({ message, onDone }: { readonly message: Message; readonly onDone: () => void }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [content, setContent] = useState(message.content);
  const save = useMutation(async () => {
    if (content.trim() !== "" && content !== message.content) await actions.edit(message.channelId, message.id, content);
    onDone();
  });
  return (
    <form className="grid gap-2" onSubmit={save.submit}>
      <textarea
        aria-label={say("message.edit")}
        autoFocus
        dir="auto"
        rows={Math.min(8, content.split("\n").length)}
        value={content}
        onChange={(event) => setContent(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onDone();
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) save.submit(event);
        }}
        className="resize-none rounded-control bg-overlay px-3 py-2 text-15 shadow-[inset_0_0_0_1px_var(--line-strong)] focus:outline-2 focus:-outline-offset-1 focus:outline-focus"
      />
      <Wrong>{save.error}</Wrong>
      <div className="flex gap-2">
        <Button type="submit" look="primary" className="min-h-7! text-13" disabled={save.busy}>
          {say("common.save")}
        </Button>
        <Button look="quiet" className="min-h-7! text-13" onClick={onDone}>
          {say("common.cancel")}
        </Button>
      </div>
    </form>
  );
}

/** A message on its way, or one that was refused. */
export function OutgoingRow({ roomId, one }: { readonly roomId: string; readonly one: Outgoing }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const me = useKnown((state) => state.me);
  const lost = useKnown((state) => state.lostSince !== undefined);
  const name = nameOf(me);
  return (
    <article className="grid grid-cols-[2.25rem_minmax(0,1fr)] gap-x-3 px-3.5 pt-1.75 pb-1 mid:px-5">
      <Avatar id={me?.id ?? ""} name={name} />
      <div className="min-w-0 max-w-[44rem]">
        <p className="text-15 font-semibold">{name}</p>
        <p dir="auto" className="whitespace-pre-wrap text-15 text-faint [overflow-wrap:anywhere]">
          {one.content}
        </p>
        {one.refused === undefined ? (
          <p className="flex items-center gap-1.5 text-12 text-faint">
            <Clock size={14} strokeWidth={2} aria-hidden /> {say(lost ? "message.waiting" : "message.sending")}
          </p>
        ) : (
          <p role="alert" className="flex flex-wrap items-center gap-x-3 text-13 text-danger">
            {say("message.failed", { why: reason(one.refused) })}
            <button type="button" className="underline underline-offset-3" onClick={() => actions.again(roomId, one.nonce)}>
              {say("common.retry")}
            </button>
            <button type="button" className="underline underline-offset-3" onClick={() => actions.giveUp(roomId, one.nonce)}>
              {say("common.delete")}
            </button>
          </p>
        )}
      </div>
    </article>
  );
}

const refusals: Readonly<Record<string, Key>> = {
  PERMISSION_DENIED: "composer.noPermission",
  NOT_FOUND: "composer.noPermission",
  ONBOARDING_REQUIRED: "message.rulesFirst",
  RATE_LIMITED: "message.limit",
};

function reason(refused: string): string {
  const key = refusals[refused];
  return key === undefined ? refused : sayNow(key);
}
