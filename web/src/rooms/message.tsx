import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Clock, Pin } from "lucide-react";
import { memo, type KeyboardEvent, type MouseEvent, type ReactNode, useCallback, useEffect, useRef, useState } from "react";

import type { Message } from "@creavio/client/chat/v1/message";
import type { Outgoing } from "@/store/state";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { clock, whole } from "@/ui/dates";
import { useMutation } from "@/ui/mutation";
import { Avatar, Button, classes, Wrong } from "@/ui/parts";
import { Profile } from "@/ui/profile";

import { useNameOfAuthor } from "./author";
import { MessageTools, type ToolsHandle, useSheet } from "./message-tools";
import { Brought } from "./forward";
import { History } from "./history";
import { Poll } from "./poll";
import { Reactions } from "./reactions";
import { Said } from "./references";
import { look } from "./look";
import type { Key } from "./en";
import { say as sayNow, useSay } from "./texts";
import { ThreadStub } from "./thread-stub";
import { asTyped, asWritten } from "./written";

interface MessageRowProps {
  readonly message: Message;
  readonly communityId: string;
  /** Whether it goes on what the same person said just before. */
  readonly grouped: boolean;
  /** Whether it is the one that the Tab key leads to. */
  readonly active: boolean;
  /** Whether it is the one that was jumped to. */
  readonly target: boolean;
  readonly editing: boolean;
  /** Undefined while messages are not selected. */
  readonly selected: boolean | undefined;
  /** Edits this one, or with an empty id none any more. */
  readonly onEdit: (id: string) => void;
  readonly onActive: (id: string) => void;
  readonly onReply: (message: Message) => void;
  readonly onSelect: (id: string, range: boolean) => void;
}

/** A message: who, when, what, and what one can do with it. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps): ReactNode {
  const { message, communityId, grouped, active, target, editing, selected, onEdit, onActive, onReply, onSelect } = props;
  const say = useSay();
  const meId = useKnown((state) => state.me?.id);
  const [near, setNear] = useState(false);
  /** Whether somebody came to it, by pointer or by keys. */
  const [met, setMet] = useState(active);
  if ((near || active) && !met) setMet(true);
  const row = useRef<HTMLElement>(null);
  const tools = useRef<ToolsHandle>(null);
  const name = useNameOfAuthor(message.authorId);
  const time = message.createTime === undefined ? new Date(0) : timestampDate(message.createTime);
  const moment = whole(time);
  const machine = time.toISOString();
  const minute = clock(time);
  const forMe = message.authorId !== meId && (message.mentions?.everyone === true || message.mentions?.userIds.includes(meId ?? "") === true);
  const edit = useCallback(() => onEdit(message.id), [onEdit, message.id]);
  const sheet = useSheet(() => tools.current?.open());
  const selecting = selected !== undefined;
  const pressed = (event: KeyboardEvent): void => {
    if (event.target !== row.current || event.ctrlKey || event.metaKey || event.altKey) return;
    if (selecting) {
      if (event.key !== " ") return;
      event.preventDefault();
      onSelect(message.id, event.shiftKey);
      return;
    }
    if (tools.current?.press(event.key) === true) event.preventDefault();
  };
  const picked = (event: MouseEvent): void => {
    // What is pressed inside by keys means itself.
    if (event.target instanceof Element && event.target.closest("a, button, dialog, input:not([data-select])") !== null) return;
    onSelect(message.id, event.shiftKey);
  };
  const done = (): void => {
    onEdit("");
    row.current?.focus();
  };
  return (
    <article
      id={message.id}
      ref={row}
      tabIndex={active ? 0 : -1}
      aria-label={`${name}, ${moment}`}
      onPointerEnter={() => setNear(true)}
      onPointerLeave={() => setNear(false)}
      onFocus={() => onActive(message.id)}
      onKeyDown={pressed}
      {...(selecting ? { onClick: picked } : sheet)}
      className={classes(
        "group relative focus-visible:-outline-offset-2",
        look.row,
        grouped ? look.goesOn : look.begins,
        selecting && "cursor-default select-none",
        selected === true
          ? "bg-accent-soft"
          : forMe
            ? "bg-mention-soft shadow-[inset_3px_0_0_var(--mention)] rtl:shadow-[inset_-3px_0_0_var(--mention)]"
            : target
              ? "bg-accent-soft"
              : "hover:bg-row-hover focus-within:bg-row-hover",
      )}
    >
      <time
        dateTime={machine}
        title={moment}
        className={classes(look.time, !grouped ? look.timeBeside : selecting ? look.timeAway : look.timeNear)}
      >
        {minute}
      </time>
      {selecting && (
        <span className={classes(look.side, look.box, !grouped && "compact:@md:mt-0.5")}>
          <input
            type="checkbox"
            data-select
            tabIndex={active ? 0 : -1}
            aria-label={say("message.selectOne", { name, time: minute })}
            checked={selected}
            // The row hears of it, wherever it is pressed.
            onChange={() => {}}
            className="size-4.5 accent-accent"
          />
        </span>
      )}
      {!grouped && !selecting && (
        <Profile id={message.authorId} name={name} className={classes(look.side, "self-start rounded-full")}>
          <Avatar id={message.authorId} size="row" />
        </Profile>
      )}
      <div className={classes(look.said, !grouped && "compact:@md:py-0.5", selecting && "pointer-events-none")}>
        {!grouped && (
          <p className="flex min-w-0 max-w-[44rem] items-baseline gap-2">
            <b className="min-w-0 truncate text-15 font-semibold compact:text-14" dir="auto">
              {name}
            </b>
            <time dateTime={machine} title={moment} className="shrink-0 text-12 text-faint tabular-nums compact:@md:hidden">
              {minute}
            </time>
            {message.pinTime !== undefined && (
              <span className="flex shrink-0 items-center gap-1 self-center text-12 text-faint">
                <Pin size={12} strokeWidth={2} aria-hidden /> <span className="compact:@md:sr-only">{say("message.pinned")}</span>
              </span>
            )}
          </p>
        )}
        <div className={look.body}>
          {message.replyTo !== undefined && <Quote of={message.replyTo} />}
          {editing ? (
            <Edit message={message} onDone={done} />
          ) : message.poll !== undefined ? (
            <Poll message={message} poll={message.poll} />
          ) : (
            <div dir="auto" className="text-15 [overflow-wrap:anywhere] compact:text-14">
              <Said text={message.content} communityId={communityId} />
              {message.editTime !== undefined && <History message={message} />}
            </div>
          )}
          {message.forward !== undefined && <Brought message={message} forward={message.forward} />}
          {message.reactions.length > 0 && <Reactions message={message} />}
          {message.thread !== undefined && <ThreadStub thread={message.thread} />}
        </div>
      </div>
      {met && (
        <MessageTools
          ref={tools}
          message={message}
          name={name}
          mine={message.authorId === meId}
          shown={!selecting && (near || active)}
          onReply={onReply}
          onSelect={onSelect}
          onEdit={edit}
        />
      )}
    </article>
  );
});

function Quote({ of }: { readonly of: NonNullable<Message["replyTo"]> }): ReactNode {
  const say = useSay();
  const name = useNameOfAuthor(of.authorId);
  return (
    <button
      type="button"
      className="flex w-full min-w-0 items-center gap-2 border-s-2 border-line-strong ps-2 text-start text-13 text-muted"
      onClick={() => {
        // The address says it, so that the way back leads here again.
        history.pushState(null, "", `#${of.messageId}`);
        dispatchEvent(new HashChangeEvent("hashchange"));
      }}
    >
      {of.authorId === "" ? (
        say("message.gone")
      ) : (
        <>
          <b className="shrink-0 font-medium">{name}</b>
          <span className="min-w-0 truncate" dir="auto">
            {of.excerpt}
          </span>
        </>
      )}
    </button>
  );
}

function Edit({ message, onDone }: { readonly message: Message; readonly onDone: () => void }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [content, setContent] = useState(() => asTyped(message.content));
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const it = field.current;
    it?.focus();
    it?.setSelectionRange(it.value.length, it.value.length);
  }, []);
  const save = useMutation(async () => {
    const text = asWritten(content.trim(), message.channelId);
    if (text !== "" && text !== message.content) await actions.edit(message.channelId, message.id, text);
    onDone();
  });
  return (
    <form className="grid gap-2 py-1" onSubmit={save.submit}>
      <textarea
        ref={field}
        aria-label={say("message.edit")}
        dir="auto"
        rows={1}
        value={content}
        onChange={(event) => setContent(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onDone();
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) save.submit(event);
        }}
        className="max-h-[40dvh] resize-none rounded-control bg-overlay px-3 py-2 text-15 shadow-[inset_0_0_0_1px_var(--line-strong)] [field-sizing:content] focus:outline-2 focus:-outline-offset-1 focus:outline-focus"
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
    <article className={classes(look.row, look.begins)}>
      <span className={look.side}>
        <Avatar id={me?.id ?? ""} size="row" />
      </span>
      <div className={classes(look.said, "compact:@md:py-0.5")}>
        <p className="truncate text-15 font-semibold compact:text-14">{name}</p>
        <div className={look.body}>
          <p dir="auto" className="whitespace-pre-wrap text-15 text-faint [overflow-wrap:anywhere] compact:text-14">
            {asTyped(one.content)}
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
      </div>
    </article>
  );
}

const refusals: Readonly<Record<string, Key>> = {
  PERMISSION_DENIED: "composer.noPermission",
  NOT_FOUND: "composer.noPermission",
  ONBOARDING_REQUIRED: "message.rulesFirst",
  RATE_LIMITED: "message.limit",
  SLOW_MODE: "message.limit",
};

/** Why a message was refused, in words. */
export function reason(refused: string): string {
  const key = refusals[refused];
  return key === undefined ? refused : sayNow(key);
}
