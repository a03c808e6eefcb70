import { ArrowUp, AtSign, ChartBar, Clock3, Plus, Smile, X } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { type KeyboardEvent, lazy, type ReactNode, Suspense, useEffect, useId, useLayoutEffect, useRef, useState } from "react";

import type { Message } from "@creavio/client/chat/v1/message";
import { Permission } from "@creavio/client/options/v1/permission";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { kept } from "@/account/kept";
import { useActions } from "@/ui/context";
import { classes, Dialog, IconButton, menuItem } from "@/ui/parts";

import { type Suggestion, Suggestions, typedAt, useSuggestions } from "./completion";
import { EmojiPopover } from "./emoji-popover";
import { Later } from "./later";
import { NewPoll } from "./new-poll";
import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import { useRights, useWhere } from "./where";
import { asWritten } from "./written";

const Scheduled = lazy(async () => ({ default: (await import("./scheduled")).Scheduled }));
const longest = 4000;
const says = 3000;
/** Milliseconds without a key after which a draft is kept for other devices. */
const keeps = 1500;
const drafts = "creavio.draft.";

interface ComposerProps {
  readonly name: string;
  readonly replyTo: Message | undefined;
  readonly onReplied: () => void;
  /** Edits what one wrote last, if there is something. */
  readonly onEditLast: () => void;
}

/** Where one writes. What is written is kept on this device, and for others, until it is sent. */
export function Composer({ name, replyTo, onReplied, onEditLast }: ComposerProps): ReactNode {
  const say = useSay();
  const actions = useActions();
  const doing = useDoing();
  const { roomId, communityId, channelId } = useWhere();
  const may = useRights();
  const id = useId();
  const [content, setContent] = useState(() => localStorage.getItem(drafts + roomId) ?? "");
  const [caret, setCaret] = useState(0);
  const [current, setCurrent] = useState(0);
  const [dismissed, setDismissed] = useState(-1);
  const [picker, setPicker] = useState(false);
  const [dialog, setDialog] = useState<"poll" | "later" | "scheduled">();
  const field = useRef<HTMLTextAreaElement>(null);
  const said = useRef(0);
  const touched = useRef(false);
  /** Where one goes on writing after something was put in. */
  const placing = useRef<number>(undefined);
  const author = useKnown((state) => (replyTo === undefined ? undefined : state.users[replyTo.authorId]));
  const slow = useKnown((state) => state.slow[channelId] ?? 0);
  const over = [...content].length - longest;
  const typed = typedAt(content, caret);
  const suggestions = useSuggestions(typed?.from === dismissed ? undefined : typed);
  const chosen = Math.min(current, suggestions.length - 1);

  useEffect(() => {
    if (content === "") localStorage.removeItem(drafts + roomId);
    else localStorage.setItem(drafts + roomId, content);
  }, [roomId, content]);
  const elsewhere = useKnown((state) => state.drafts?.[roomId] ?? "");
  useEffect(() => void doing.drafts().catch(() => {}), [doing]);
  useEffect(() => {
    // What was begun on another device goes on here, until somebody writes here.
    if (!touched.current && elsewhere !== "") setContent((own) => (own === "" ? elsewhere : own));
  }, [elsewhere]);
  useEffect(() => {
    if (!touched.current || over > 0) return;
    const timer = setTimeout(() => void doing.keepDraft(roomId, content).catch(() => {}), keeps);
    return () => clearTimeout(timer);
  }, [doing, roomId, content, over]);
  useLayoutEffect(() => {
    if (replyTo !== undefined) field.current?.focus();
  }, [replyTo]);
  // Before the next key: what is typed on must not stand before what was put in.
  useLayoutEffect(() => {
    if (placing.current === undefined) return;
    field.current?.focus();
    field.current?.setSelectionRange(placing.current, placing.current);
    placing.current = undefined;
  });
  useEffect(() => {
    if (communityId === "") return;
    void Promise.all([doing.slow(channelId), doing.roles(communityId)]).catch(() => {});
  }, [doing, communityId, channelId]);
  const mentioning = typed?.sign === "@" && communityId !== "";
  useEffect(() => {
    if (mentioning) void actions.people(communityId).catch(() => {});
  }, [actions, mentioning, communityId]);

  const write = (text: string, at: number): void => {
    touched.current = true;
    setContent(text);
    setCaret(at);
    setCurrent(0);
    placing.current = at;
  };
  const insert = (text: string): void => {
    const at = field.current?.selectionStart ?? content.length;
    const space = at === 0 || /\s$/.test(content.slice(0, at)) ? "" : " ";
    write(content.slice(0, at) + space + text + content.slice(at), at + space.length + text.length);
  };
  const pick = ({ text }: Suggestion): void => {
    if (typed === undefined) return;
    const before = `${content.slice(0, typed.from)}${text} `;
    write(before + content.slice(caret).replace(/^ /, ""), before.length);
  };
  const take = (): string | undefined => {
    const text = content.trim();
    return text === "" || over > 0 ? undefined : asWritten(text, roomId);
  };
  const sent = (): void => {
    touched.current = true;
    setContent("");
    setCaret(0);
    onReplied();
  };
  const send = (): void => {
    const text = take();
    if (text === undefined) return;
    actions.send(roomId, text, replyTo?.id ?? "");
    sent();
    field.current?.focus();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (suggestions.length > 0) {
      const picked = suggestions[chosen];
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        setCurrent((chosen + (event.key === "ArrowDown" ? 1 : suggestions.length - 1)) % suggestions.length);
        return;
      }
      if ((event.key === "Enter" || event.key === "Tab") && picked !== undefined) {
        event.preventDefault();
        pick(picked);
        return;
      }
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        setDismissed(typed?.from ?? -1);
        return;
      }
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && replyTo !== undefined) {
      event.stopPropagation();
      onReplied();
    } else if (event.key === "ArrowUp" && content === "") {
      event.preventDefault();
      onEditLast();
    }
  };
  const changed = (text: string, at: number): void => {
    touched.current = true;
    setContent(text);
    setCaret(at);
    setCurrent(0);
    const now = Date.now();
    if (text.trim() !== "" && now - said.current > says && !kept.getState().hideTyping) {
      said.current = now;
      void actions.api.gateway.startTyping({ channelId: roomId }).catch(() => {});
    }
  };
  const ready = content.trim() !== "" && over <= 0;
  if (!may(Permission.SEND_MESSAGES)) {
    return <p className="mx-2.5 mb-2.5 rounded-card bg-sunken px-4 py-3 text-13 text-muted mid:mx-5 mid:mb-4">{say("composer.forbidden")}</p>;
  }
  return (
    <>
      <form
        className="relative mx-2.5 mb-2.5 grid shrink-0 gap-1 rounded-card bg-overlay p-2 shadow-[inset_0_0_0_1px_var(--line-strong)] focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-focus mid:mx-5 mid:mb-4"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        {suggestions.length > 0 && <Suggestions id={id} suggestions={suggestions} current={chosen} onPick={pick} />}
        {replyTo !== undefined && (
          <p className="flex items-center gap-2 ps-1.5 text-13 text-muted">
            <span className="min-w-0 truncate">{say("composer.replying", { name: nameOf(author) })}</span>
            <IconButton label={say("common.cancel")} className="ms-auto size-6!" onClick={onReplied}>
              <X size={14} strokeWidth={2} aria-hidden />
            </IconButton>
          </p>
        )}
        <textarea
          ref={field}
          dir="auto"
          rows={1}
          aria-label={say("composer.label", { name })}
          placeholder={say("composer.label", { name })}
          aria-autocomplete="list"
          {...(suggestions.length > 0 ? { "aria-controls": id, "aria-activedescendant": `${id}-${chosen}` } : {})}
          value={content}
          onChange={(event) => changed(event.target.value, event.target.selectionStart)}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
          onKeyDown={pressed}
          className="max-h-[40dvh] min-h-9 resize-none bg-transparent px-1.5 py-1.75 text-15 outline-none [field-sizing:content]"
        />
        <div className="flex items-center gap-0.5">
          <DropdownMenu.Root modal={false}>
            <DropdownMenu.Trigger asChild>
              <IconButton label={say("composer.add")}>
                <Plus size={18} strokeWidth={1.75} aria-hidden />
              </IconButton>
            </DropdownMenu.Trigger>
            <DropdownMenu.Portal>
              <DropdownMenu.Content align="start" side="top" sideOffset={6} className="z-50 grid min-w-52 gap-px rounded-card bg-overlay p-1.5 shadow-2">
                <DropdownMenu.Item className={menuItem} onSelect={() => setTimeout(() => setDialog("poll"))}>
                  <ChartBar size={16} aria-hidden /> {say("composer.poll")}
                </DropdownMenu.Item>
                <DropdownMenu.Item className={menuItem} disabled={!ready} onSelect={() => setTimeout(() => setDialog("later"))}>
                  <Clock3 size={16} aria-hidden /> {say("composer.later")}
                </DropdownMenu.Item>
                <DropdownMenu.Item className={menuItem} onSelect={() => setTimeout(() => setDialog("scheduled"))}>
                  <Clock3 size={16} aria-hidden /> {say("composer.scheduled")}
                </DropdownMenu.Item>
              </DropdownMenu.Content>
            </DropdownMenu.Portal>
          </DropdownMenu.Root>
          <EmojiPopover open={picker} onOpen={setPicker} onPick={insert} align="start" returnTo={field}>
            <IconButton label={say("composer.emoji")}>
              <Smile size={18} strokeWidth={1.75} aria-hidden />
            </IconButton>
          </EmojiPopover>
          <IconButton label={say("composer.mention")} onClick={() => insert("@")}>
            <AtSign size={18} strokeWidth={1.75} aria-hidden />
          </IconButton>
          {slow > 0 && <span className="ms-2 truncate text-12 text-muted">{say("composer.slow", { seconds: slow })}</span>}
          <button
            type="submit"
            aria-label={say("composer.send")}
            title={say("composer.send")}
            disabled={!ready}
            className={classes(
              "ms-auto grid size-9 shrink-0 place-items-center rounded-control transition-colors duration-[120ms] max-mid:size-10",
              ready ? "bg-accent text-on-accent hover:bg-accent-hover" : "bg-hover text-faint",
            )}
          >
            <ArrowUp size={18} strokeWidth={1.75} aria-hidden />
          </button>
        </div>
        {over > 0 && (
          <p role="status" className="px-1.5 text-12 text-danger">
            {say("composer.tooLong", { count: over })}
          </p>
        )}
      </form>
      <Dialog title={say("poll.title")} open={dialog === "poll"} onClose={() => setDialog(undefined)}>
        <NewPoll onDone={() => setDialog(undefined)} />
      </Dialog>
      <Dialog title={say("later.title")} open={dialog === "later"} onClose={() => setDialog(undefined)}>
        <Later
          schedule={async (when) => {
            const text = take();
            if (text === undefined) return;
            await doing.schedule(roomId, text, when, replyTo?.id ?? "");
            sent();
            setDialog("scheduled");
          }}
        />
      </Dialog>
      <Dialog title={say("composer.scheduled")} open={dialog === "scheduled"} onClose={() => setDialog(undefined)}>
        <Suspense fallback={null}>
          <Scheduled />
        </Suspense>
      </Dialog>
    </>
  );
}
