import { ArrowUp, X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";

import type { Message } from "@creavio/client/chat/v1/message";
import { useSay } from "@/i18n";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";

import { useActions } from "./context";
import { classes, IconButton } from "./parts";

const longest = 4000;
const says = 3000;
const drafts = "creavio.draft.";

interface ComposerProps {
  readonly roomId: string;
  readonly name: string;
  readonly replyTo: Message | undefined;
  readonly onReplied: () => void;
}

/** Where one writes. What is written is kept on this device until it is sent. */
export function Composer({ roomId, name, replyTo, onReplied }: ComposerProps): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [content, setContent] = useState(() => localStorage.getItem(drafts + roomId) ?? "");
  const field = useRef<HTMLTextAreaElement>(null);
  const said = useRef(0);
  const author = useKnown((state) => (replyTo === undefined ? undefined : state.users[replyTo.authorId]));
  const over = [...content].length - longest;

  useEffect(() => {
    if (content === "") localStorage.removeItem(drafts + roomId);
    else localStorage.setItem(drafts + roomId, content);
  }, [roomId, content]);
  useLayoutEffect(() => {
    if (replyTo !== undefined) field.current?.focus();
  }, [replyTo]);

  const send = (): void => {
    const text = content.trim();
    if (text === "" || over > 0) return;
    actions.send(roomId, text, replyTo?.id ?? "");
    setContent("");
    onReplied();
    field.current?.focus();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      onReplied();
    }
  };
  const typed = (text: string): void => {
    setContent(text);
    const now = Date.now();
    if (text.trim() !== "" && now - said.current > says) {
      said.current = now;
      void actions.api.gateway.startTyping({ channelId: roomId }).catch(() => {});
    }
  };
  const ready = content.trim() !== "" && over <= 0;
  return (
    <form
      className="mx-2.5 mb-2.5 grid shrink-0 gap-1 rounded-card bg-overlay p-2 shadow-[inset_0_0_0_1px_var(--line-strong)] focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-focus mid:mx-5 mid:mb-4"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {replyTo !== undefined && (
        <p className="flex items-center gap-2 ps-1.5 text-13 text-muted">
          <span className="min-w-0 truncate">{say("composer.replying", { name: nameOf(author) })}</span>
          <IconButton label={say("common.cancel")} className="ms-auto size-6!" onClick={onReplied}>
            <X size={14} strokeWidth={2} aria-hidden />
          </IconButton>
        </p>
      )}
      <div className="flex items-end gap-2">
        <textarea
          ref={field}
          dir="auto"
          rows={1}
          aria-label={say("composer.label", { name })}
          placeholder={say("composer.label", { name })}
          value={content}
          onChange={(event) => typed(event.target.value)}
          onKeyDown={pressed}
          className="max-h-[40dvh] min-h-9 grow resize-none bg-transparent px-1.5 py-1.75 text-15 outline-none [field-sizing:content]"
        />
        <button
          type="submit"
          aria-label={say("composer.send")}
          title={say("composer.send")}
          disabled={!ready}
          className={classes(
            "grid size-9 shrink-0 place-items-center rounded-control transition-colors duration-[120ms] max-mid:size-10",
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
  );
}
