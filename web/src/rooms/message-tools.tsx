import { Bookmark, BookmarkX, ClipboardCopy, Forward, Link2, ListChecks, type LucideIcon, MessagesSquare, MoreHorizontal, Pencil, Pin, PinOff, Reply, SmilePlus, Trash2 } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { forwardRef, lazy, type MouseEvent, type PointerEvent, type ReactNode, Suspense, type TouchEvent, useImperativeHandle, useRef, useState } from "react";

import type { Message } from "@creavio/client/chat/v1/message";
import { Permission } from "@creavio/client/options/v1/permission";
import { go } from "@/route";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { Confirm } from "@/ui/confirm";
import { useMutation } from "@/ui/mutation";
import { classes, Dialog, IconButton, menuItem } from "@/ui/parts";

import { lately } from "./emoji-lately";
import { EmojiPopover } from "./emoji-popover";
import { useSay } from "./texts";
import { BeginThread } from "./thread-dialogs";
import { useDoing } from "./use-doing";
import { linkTo, useRights, useWhere } from "./where";
import { asTyped } from "./written";

const SendOn = lazy(async () => ({ default: (await import("./forward")).SendOn }));

/** What a message does for a key that was pressed on it. */
export interface ToolsHandle {
  /** False when the key means nothing here. */
  readonly press: (key: string) => boolean;
  /** Shows all actions. */
  readonly open: () => void;
}

interface MessageToolsProps {
  readonly message: Message;
  readonly name: string;
  readonly mine: boolean;
  /** Whether the pointer or the focus is on the message. */
  readonly shown: boolean;
  readonly onReply: (message: Message) => void;
  readonly onEdit: () => void;
  readonly onSelect: (id: string, range: boolean) => void;
}

interface Action {
  readonly key: string;
  readonly title: string;
  readonly icon: LucideIcon;
  readonly run: () => void;
  readonly danger?: boolean;
}

/** What one can do with a message: the frequent at hand, everything in a menu and by keys. */
export const MessageTools = forwardRef<ToolsHandle, MessageToolsProps>(function MessageTools(props, ref): ReactNode {
  const { message, name, mine, shown, onReply, onEdit, onSelect } = props;
  const say = useSay();
  const actions = useActions();
  const doing = useDoing();
  const where = useWhere();
  const may = useRights();
  const kept = useKnown((state) => state.saved?.has(message.id) === true);
  const [menu, setMenu] = useState(false);
  const [picker, setPicker] = useState(false);
  const [asked, setAsked] = useState<"delete" | "thread" | "forward">();
  const quietly = (work: Promise<unknown>): void => void work.catch(() => {});
  const react = (emoji: string): void => quietly(actions.react(message, emoji));
  const mayReact = may(Permission.ADD_REACTIONS);
  const inChannel = where.communityId !== "" && where.roomId === where.channelId;

  const thread = (): void => {
    if (message.thread === undefined) setAsked("thread");
    else go({ at: "channel", communityId: where.communityId, channelId: where.channelId, threadId: message.thread.threadId });
  };
  const pinned = message.pinTime !== undefined;
  const all: Action[] = [
    ...(may(Permission.SEND_MESSAGES) ? [{ key: "r", title: say("message.reply"), icon: Reply, run: () => onReply(message) }] : []),
    ...(inChannel && (message.thread !== undefined || may(Permission.SEND_MESSAGES))
      ? [{ key: "t", title: say(message.thread === undefined ? "message.startThread" : "message.thread"), icon: MessagesSquare, run: thread }]
      : []),
    ...(mine && message.poll === undefined ? [{ key: "e", title: say("message.edit"), icon: Pencil, run: onEdit }] : []),
    ...(may(Permission.PIN_MESSAGES)
      ? [{ key: "p", title: say(pinned ? "message.unpin" : "message.pin"), icon: pinned ? PinOff : Pin, run: () => quietly(doing.pin(message.channelId, message.id, !pinned)) }]
      : []),
    ...(message.poll === undefined ? [{ key: "f", title: say("forward.title"), icon: Forward, run: () => setAsked("forward") }] : []),
    { key: "k", title: say(kept ? "message.unkeep" : "message.keep"), icon: kept ? BookmarkX : Bookmark, run: () => quietly(doing.keep(message.channelId, message.id, !kept)) },
    { key: "c", title: say("message.copyText"), icon: ClipboardCopy, run: () => quietly(navigator.clipboard.writeText(asTyped(message.content))) },
    {
      key: "l",
      title: say("message.copyLink"),
      icon: Link2,
      run: () => quietly(navigator.clipboard.writeText(linkTo(where, message.id))),
    },
    ...(may(Permission.MANAGE_MESSAGES)
      ? [{ key: "x", title: say("message.select"), icon: ListChecks, run: () => onSelect(message.id, false) }]
      : []),
    ...(mine || may(Permission.MANAGE_MESSAGES)
      ? [{ key: "Delete", title: say("common.delete"), icon: Trash2, run: () => setAsked("delete"), danger: true }]
      : []),
  ];
  useImperativeHandle(ref, () => ({
    press: (key) => {
      if (key === "+" && mayReact) {
        setPicker(true);
        return true;
      }
      if (key === "Enter" || key === "ContextMenu") {
        setMenu(true);
        return true;
      }
      const action = all.find((one) => one.key === key);
      action?.run();
      return action !== undefined;
    },
    open: () => setMenu(true),
  }));
  const remove = useMutation(async () => {
    await actions.remove(message.channelId, message.id);
    setAsked(undefined);
  });
  if (!shown && !menu && !picker && asked === undefined) return null;
  return (
    <>
      <div
        role="toolbar"
        aria-label={say("message.actions", { name })}
        className={classes(
          "absolute end-3 -top-3.5 z-10 flex items-center rounded-control bg-overlay p-0.5 shadow-2 mid:end-5 max-mid:pointer-events-none max-mid:opacity-0",
          !menu && !picker && "not-group-hover:not-group-focus-within:pointer-events-none not-group-hover:not-group-focus-within:opacity-0",
        )}
      >
        {mayReact &&
          lately(2).map((emoji) => (
            <IconButton key={emoji} label={say("message.react", { emoji })} className="max-wide:hidden" onClick={() => react(emoji)}>
              <span aria-hidden>{emoji}</span>
            </IconButton>
          ))}
        {mayReact && (
          <EmojiPopover open={picker} onOpen={setPicker} onPick={react}>
            <IconButton label={say("message.addReaction")}>
              <SmilePlus size={18} strokeWidth={1.75} aria-hidden />
            </IconButton>
          </EmojiPopover>
        )}
        {all
          .filter((one) => one.key === "r" || one.key === "t")
          .map(({ key, title, icon: Icon, run }) => (
            <IconButton key={key} label={title} onClick={run}>
              <Icon size={18} strokeWidth={1.75} aria-hidden className={classes(key === "r" && "rtl:-scale-x-100")} />
            </IconButton>
          ))}
        <DropdownMenu.Root modal={false} open={menu} onOpenChange={setMenu}>
          <DropdownMenu.Trigger asChild>
            <IconButton label={say("common.more")}>
              <MoreHorizontal size={18} strokeWidth={1.75} aria-hidden />
            </IconButton>
          </DropdownMenu.Trigger>
          <DropdownMenu.Portal>
            <DropdownMenu.Content
              align="end"
              sideOffset={6}
              collisionPadding={8}
              // What a line does may move the focus itself.
              onCloseAutoFocus={(event) => event.preventDefault()}
              className="sheet z-50 grid min-w-56 gap-px rounded-card bg-overlay p-1.5 shadow-2 max-mid:text-15 max-mid:shadow-3"
            >
              {mayReact && (
                <DropdownMenu.Item className={classes(menuItem, "max-mid:min-h-11")} onSelect={() => setTimeout(() => setPicker(true))}>
                  <SmilePlus size={16} aria-hidden /> <span className="grow">{say("message.addReaction")}</span>
                  <Shortcut>+</Shortcut>
                </DropdownMenu.Item>
              )}
              {all.map(({ key, title, icon: Icon, run, danger = false }) => (
                <DropdownMenu.Item key={key} className={classes(menuItem, "max-mid:min-h-11", danger && "text-danger")} onSelect={() => setTimeout(run)}>
                  <Icon size={16} aria-hidden /> <span className="grow">{title}</span>
                  <Shortcut>{key}</Shortcut>
                </DropdownMenu.Item>
              ))}
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      </div>
      {asked === "delete" && (
        <Confirm
          title={say("common.delete")}
          lead={say("message.deleteSure")}
          action={say("common.delete")}
          busy={remove.busy}
          error={remove.error}
          onDo={remove.submit}
          onClose={() => setAsked(undefined)}
        />
      )}
      <Dialog title={say("message.startThread")} open={asked === "thread"} onClose={() => setAsked(undefined)}>
        <BeginThread channelId={message.channelId} messageId={message.id} about={asTyped(message.content)} onDone={() => setAsked(undefined)} />
      </Dialog>
      {asked === "forward" && (
        <Suspense fallback={null}>
          <SendOn message={message} onDone={() => setAsked(undefined)} />
        </Suspense>
      )}
    </>
  );
});

function Shortcut({ children }: { readonly children: string }): ReactNode {
  return (
    <kbd aria-hidden className="text-11 text-faint uppercase max-mid:hidden">
      {children}
    </kbd>
  );
}

/**
 * A long press, where there is no pointer to hover with. Browsers have one of their own, after
 * half a second and not on every system: whichever comes first opens, and the other does nothing.
 */
export function useSheet(open: () => void): {
  readonly onPointerDown: (event: PointerEvent) => void;
  readonly onPointerUp: () => void;
  readonly onPointerMove: () => void;
  readonly onPointerCancel: () => void;
  readonly onContextMenu: (event: MouseEvent) => void;
  readonly onTouchEnd: (event: TouchEvent) => void;
} {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const touched = useRef(false);
  const opened = useRef(false);
  const begin = (): void => {
    opened.current = true;
    open();
  };
  const stop = (): void => clearTimeout(timer.current);
  return {
    onPointerDown: (event) => {
      stop();
      opened.current = false;
      // A link has a menu of the browser's own.
      touched.current = event.pointerType === "touch" && (event.target as Element).closest("a") === null;
      if (touched.current) timer.current = setTimeout(begin, 450);
    },
    onPointerUp: stop,
    onPointerMove: stop,
    onPointerCancel: stop,
    onContextMenu: (event) => {
      if (!touched.current) return;
      stop();
      event.preventDefault();
      begin();
    },
    onTouchEnd: (event) => {
      // Else the finger that is lifted is a click on the message, which closes what it opened.
      if (opened.current) event.preventDefault();
    },
  };
}
