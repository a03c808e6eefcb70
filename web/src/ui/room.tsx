import { timestampDate } from "@bufbuild/protobuf/wkt";
import { CloudOff } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";

import type { Message } from "@creavio/client/chat/v1/message";
import { useSay } from "@/i18n";
import { emptyRoom } from "@/store/state";
import { useKnown } from "@/store/react";

import { Composer } from "./composer";
import { useActions } from "./context";
import { clock, day } from "./dates";
import { MessageRow, OutgoingRow } from "./message";
import { Mark } from "./parts";
import { Typing } from "./typing";

interface RoomPageProps {
  readonly roomId: string;
  /** Empty for a conversation. */
  readonly communityId: string;
  readonly name: string;
  readonly title: string;
  readonly topic: string;
  /** What is said where the room begins. */
  readonly start: string;
  readonly sign: ReactNode;
  readonly back: ReactNode;
  /** What else the bar offers. */
  readonly more?: ReactNode;
}

/** What is said in a channel or conversation, and where one says something. */
export function RoomPage({ roomId, communityId, name, title, topic, start, sign, back, more }: RoomPageProps): ReactNode {
  const actions = useActions();
  const [replyTo, setReplyTo] = useState<Message>();
  const stale = useKnown((state) => state.rooms[roomId]?.staleTo !== undefined);
  useEffect(() => {
    void actions.enter(roomId);
  }, [actions, roomId, stale]);
  return (
    <>
      <header className="flex min-h-13.5 shrink-0 items-center gap-2 border-b border-line px-2 mid:px-5">
        {back}
        <h1 className="flex min-w-0 items-center gap-2 font-display text-17 font-bold tracking-[-0.012em]">
          <span className="text-muted">{sign}</span>
          <span className="truncate">{title}</span>
        </h1>
        {topic !== "" && <p className="min-w-0 truncate border-s border-line ps-3 text-13 text-muted max-mid:hidden">{topic}</p>}
        <span className="ms-auto flex">{more}</span>
      </header>
      <Messages roomId={roomId} communityId={communityId} name={name} start={start} onReply={setReplyTo} />
      <Typing roomId={roomId} />
      <Offline />
      <Composer roomId={roomId} name={name} replyTo={replyTo} onReplied={() => setReplyTo(undefined)} />
    </>
  );
}

interface MessagesProps {
  readonly roomId: string;
  readonly communityId: string;
  readonly name: string;
  readonly start: string;
  readonly onReply: (message: Message) => void;
}

const near = 48;
const together = 5 * 60_000;

function Messages({ roomId, communityId, name, start, onReply }: MessagesProps): ReactNode {
  const say = useSay();
  const actions = useActions();
  const room = useKnown((state) => state.rooms[roomId]) ?? emptyRoom;
  const meId = useKnown((state) => state.me?.id);
  const scroller = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const before = useRef({ first: "", height: 0 });
  const first = room.messages[0]?.id ?? "";
  const last = room.messages.at(-1)?.id ?? "";

  // What loads above leaves what is read where it is; at the end one stays at the end.
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    if (atEnd.current) box.scrollTop = box.scrollHeight;
    else if (before.current.first !== "" && before.current.first !== first) {
      box.scrollTop += box.scrollHeight - before.current.height;
    }
    before.current = { first, height: box.scrollHeight };
  }, [first, last, room.outgoing.length, room.messages]);

  // A window that changes, or an image that arrives, does not take one away from the end.
  useEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const observer = new ResizeObserver(() => {
      if (atEnd.current) box.scrollTop = box.scrollHeight;
    });
    observer.observe(box);
    if (box.firstElementChild !== null) observer.observe(box.firstElementChild);
    return () => observer.disconnect();
  }, [room.gone]);

  const markRead = useCallback(() => {
    if (atEnd.current && document.visibilityState === "visible") void actions.read(roomId).catch(() => {});
  }, [actions, roomId]);
  useEffect(() => {
    markRead();
    addEventListener("visibilitychange", markRead);
    return () => removeEventListener("visibilitychange", markRead);
  }, [markRead, last]);

  const scrolled = (): void => {
    const box = scroller.current;
    if (box === null) return;
    const was = atEnd.current;
    atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < near;
    if (atEnd.current && !was) markRead();
    if (box.scrollTop < box.clientHeight) void actions.older(roomId).catch(() => {});
  };

  const rows = useMemo(() => {
    const shown: ReactNode[] = [];
    let previous: Message | undefined;
    let newShown = room.newFrom === undefined;
    for (const message of room.messages) {
      const time = message.createTime === undefined ? new Date(0) : timestampDate(message.createTime);
      const earlier = previous?.createTime === undefined ? undefined : timestampDate(previous.createTime);
      const newDay = earlier === undefined || earlier.toDateString() !== time.toDateString();
      if (newDay) shown.push(<DayLine key={`day-${message.id}`}>{day(time)}</DayLine>);
      const isNew = !newShown && message.sequence > (room.newFrom ?? 0n) && message.authorId !== meId;
      if (isNew) {
        newShown = true;
        shown.push(<NewLine key="new" time={time} />);
      }
      const grouped =
        !newDay &&
        !isNew &&
        previous?.authorId === message.authorId &&
        message.replyTo === undefined &&
        earlier !== undefined &&
        time.getTime() - earlier.getTime() < together;
      shown.push(
        <MessageRow key={message.id} message={message} communityId={communityId} grouped={grouped} onReply={onReply} />,
      );
      previous = message;
    }
    return shown;
  }, [room.messages, room.newFrom, meId, communityId, onReply]);

  if (room.gone) return <p className="grow p-6 text-muted">{say("channel.gone")}</p>;
  return (
    <div
      ref={scroller}
      onScroll={scrolled}
      role="log"
      aria-label={say("channel.messages", { name })}
      tabIndex={0}
      className="flex min-h-0 grow flex-col overflow-y-auto overflow-x-hidden overscroll-contain pb-2 [overflow-anchor:none] focus-visible:-outline-offset-2"
    >
      <div className="mt-auto">
        {room.older === "end" && (
          <div className="grid justify-items-start gap-2 px-3.5 pt-8 pb-3 mid:px-5">
            <Mark size={44} />
            <p className="font-display text-20 font-bold tracking-[-0.012em]">{start}</p>
            {room.messages.length === 0 && room.outgoing.length === 0 && <p className="text-muted">{say("channel.none")}</p>}
          </div>
        )}
        {rows}
        {room.outgoing.map((one) => (
          <OutgoingRow key={one.nonce} roomId={roomId} one={one} />
        ))}
      </div>
    </div>
  );
}

function DayLine({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <h2 className="flex items-center gap-3 px-3.5 pt-4 pb-1 text-12 font-medium text-faint mid:px-5">
      {children}
      <span className="h-px grow bg-line" />
    </h2>
  );
}

function NewLine({ time }: { readonly time: Date }): ReactNode {
  const say = useSay();
  return (
    <p className="flex items-center gap-3 px-3.5 py-1.5 text-12 font-semibold text-mention-text mid:px-5">
      <span className="h-px w-9 bg-mention" />
      {say("channel.new", { time: clock(time) })}
      <span className="h-px grow bg-mention-soft" />
    </p>
  );
}

function Offline(): ReactNode {
  const say = useSay();
  const since = useKnown((state) => state.lostSince);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (since === undefined) {
      setShown(false);
      return;
    }
    const timer = setTimeout(() => setShown(true), 3000);
    return () => clearTimeout(timer);
  }, [since]);
  return (
    <div role="status" className="px-3 mid:px-5">
      {shown && (
        <p className="mb-1.5 flex items-center gap-2.5 rounded-control bg-warning-soft px-3.5 py-2 text-13">
          <CloudOff size={16} aria-hidden className="text-warning" /> {say("offline")}
        </p>
      )}
    </div>
  );
}
