import { timestampDate } from "@bufbuild/protobuf/wkt";
import { ArrowDown } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useCallback, useDeferredValue, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";

import type { Message } from "@creavio/client/chat/v1/message";
import { emptyRoom, type Outgoing, type Room } from "@/store/state";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { clock, day } from "@/ui/dates";
import { Button, classes, Mark } from "@/ui/parts";

import { look } from "./look";
import { MessageRow, OutgoingRow } from "./message";
import type { Selection } from "./selection";
import { useSay } from "./texts";

interface MessagesProps {
  readonly roomId: string;
  /** Empty for a conversation. */
  readonly communityId: string;
  readonly name: string;
  /** What is said where the room begins. */
  readonly start: ReactNode;
  /** The message to show; empty for the latest. */
  readonly target: string;
  /** The message that is being edited; empty for none. */
  readonly editing: string;
  /** Undefined while messages are not selected. */
  readonly selection: Selection | undefined;
  readonly onEdit: (id: string) => void;
  readonly onReply: (message: Message) => void;
  /** Selects one, or lets it go; with `range` everything from the one before. */
  readonly onSelect: (id: string, range: boolean) => void;
}

type Row =
  | { readonly kind: "start"; readonly key: string }
  | { readonly kind: "day"; readonly key: string; readonly time: Date }
  | { readonly kind: "new"; readonly key: string; readonly time: Date }
  | { readonly kind: "message"; readonly key: string; readonly message: Message; readonly grouped: boolean }
  | { readonly kind: "outgoing"; readonly key: string; readonly one: Outgoing };

/** Pixels from the end at which one is taken to be at it. */
const near = 48;
/** Rows that are drawn first: on a phone they fill the page. */
const screenful = 18;
/** Milliseconds until the others are, when these are seen. */
const rest = 100;
/** Milliseconds after which a room is drawn at once: where much is said, each message would begin the parts anew. */
const patience = 500;
/** Milliseconds within which messages of a person stand together. */
const together = 5 * 60_000;

/** What was said in a room. Rows are there while they are near what is seen. */
export function Messages(props: MessagesProps): ReactNode {
  const { roomId, communityId, name, start, target, editing, selection, onEdit, onReply, onSelect } = props;
  const say = useSay();
  const actions = useActions();
  const room = useArrived(useKnown((state) => state.rooms[roomId]) ?? emptyRoom);
  const meId = useKnown((state) => state.me?.id);
  const [whole, setWhole] = useState(target !== "" || room.messages.length > 0);
  const rows = useMemo(() => rowsOf(room, meId).slice(whole ? 0 : -screenful), [room, meId, whole]);
  useEffect(() => {
    if (whole || room.messages.length === 0) return;
    // At one go: what is interrupted while rows are added above would move those that are there.
    const timer = setTimeout(() => setWhole(true), rest);
    return () => clearTimeout(timer);
  }, [whole, room.messages.length === 0]);
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const atEnd = useRef(target === "");
  const top = useRef(0);
  const [away, setAway] = useState(false);
  const [active, setActive] = useState("");
  const lastId = room.messages.at(-1)?.id ?? "";
  const shift = useShift(rows);
  const activeId = room.messages.some((one) => one.id === active) ? active : lastId;
  const activeAt = rows.findIndex((row) => row.key === activeId);

  const toEnd = useCallback(() => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, []);
  useLayoutEffect(() => {
    // Where nothing is drawn there is no end to go to, and the page need not be laid out to find it.
    if (atEnd.current && room.newer === "" && rows.length > 0) toEnd();
  }, [rows, room.newer, toEnd]);

  // A window that changes, or an image that arrives, does not take one away from the end.
  useEffect(() => {
    if (box.current === null) return;
    const observer = new ResizeObserver(() => atEnd.current && toEnd());
    observer.observe(box.current);
    if (box.current.lastElementChild !== null) observer.observe(box.current.lastElementChild);
    return () => observer.disconnect();
  }, [toEnd, room.gone]);

  const markRead = useCallback(() => {
    if (atEnd.current && document.visibilityState === "visible") void actions.read(roomId).catch(() => {});
  }, [actions, roomId]);
  useEffect(() => {
    markRead();
    addEventListener("visibilitychange", markRead);
    return () => removeEventListener("visibilitychange", markRead);
  }, [markRead, lastId, room.older === ""]);

  const shown = useRef("");
  /** The message one is being led to, until it is seen or one goes elsewhere. */
  const leading = useRef("");
  const elsewhere = (): void => void (leading.current = "");
  useLayoutEffect(() => {
    if (target === "" || shown.current === target) return;
    const at = rows.findIndex((row) => row.key === target);
    if (at === -1) return;
    shown.current = leading.current = target;
    atEnd.current = false;
    setActive(target);
    list.current?.scrollToIndex(at, { align: "center" });
  }, [target, rows]);

  useLayoutEffect(() => {
    const at = rows.findIndex((row) => row.key === editing);
    if (at === -1) return;
    setActive(editing);
    list.current?.scrollToIndex(at, { align: "nearest" });
  }, [editing]);

  const scrolled = (): void => {
    const it = box.current;
    if (it === null) return;
    const was = atEnd.current;
    // What is heard of the place one left, or of what arrives there, does not lead back to it.
    if (leading.current !== "" && isSeen(leading.current, it)) elsewhere();
    // Whoever goes up leaves the end; nobody does by what turns out to be higher than it was taken to be.
    const stays = was && it.scrollTop >= top.current;
    top.current = it.scrollTop;
    atEnd.current = leading.current === "" && room.newer === "" && (stays || it.scrollHeight - it.scrollTop - it.clientHeight < near);
    setAway(!atEnd.current);
    if (atEnd.current && !was) markRead();
    if (whole && it.scrollTop < it.clientHeight) void actions.older(roomId).catch(() => {});
    if (room.newer !== "" && it.scrollHeight - it.scrollTop - it.clientHeight < it.clientHeight) {
      void actions.newer(roomId).catch(() => {});
    }
  };
  const toPresent = (): void => {
    elsewhere();
    atEnd.current = true;
    void actions.toPresent(roomId).then(toEnd, () => {});
  };
  const moved = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    if (step === 0 || !(event.target instanceof HTMLElement)) return;
    const box = event.target.matches("[data-select]");
    if (!box && event.target.closest("article") !== event.target) return;
    event.preventDefault();
    elsewhere();
    const at = room.messages.findIndex((one) => one.id === activeId) + step;
    const next = room.messages[at];
    if (next === undefined) return;
    setActive(next.id);
    list.current?.scrollToIndex(rows.findIndex((row) => row.key === next.id), { align: "nearest" });
    requestAnimationFrame(() => {
      const row = document.getElementById(next.id);
      (box ? row?.querySelector<HTMLElement>("[data-select]") : row)?.focus();
    });
  };

  if (room.gone) return <p className="grow p-6 text-muted">{say("channel.gone")}</p>;
  return (
    <div className="relative flex min-h-0 grow flex-col">
      <div
        ref={box}
        onScroll={scrolled}
        onWheel={elsewhere}
        onTouchMove={elsewhere}
        onKeyDown={moved}
        role="log"
        aria-label={say("channel.messages", { name })}
        className="flex min-h-0 grow flex-col overflow-y-auto overflow-x-hidden overscroll-contain pb-2 @container [overflow-anchor:none]"
      >
        {/* Few messages stand at the end, where one writes. */}
        <div className="grow" />
        <Virtualizer
          ref={list}
          scrollRef={box}
          shift={shift}
          bufferSize={600}
          {...(activeAt === -1 ? {} : { keepMounted: [activeAt] })}
        >
          {rows.map((row) => {
            switch (row.kind) {
              case "start":
                return (
                  <div key={row.key} className={classes("grid justify-items-start gap-2 pt-8 pb-3 compact:pt-4", look.gutter)}>
                    {typeof start === "string" && <Mark size={44} />}
                    <div className="font-display text-20 font-bold tracking-[-0.012em]">{start}</div>
                    {rows.length === 1 && <p className="text-muted">{say("channel.none")}</p>}
                  </div>
                );
              case "day":
                return <DayLine key={row.key}>{day(row.time)}</DayLine>;
              case "new":
                return <NewLine key={row.key} time={row.time} />;
              case "message":
                return (
                  <MessageRow
                    key={row.key}
                    message={row.message}
                    communityId={communityId}
                    grouped={row.grouped}
                    active={row.key === activeId}
                    target={row.key === target}
                    editing={row.key === editing}
                    selected={selection?.ids.has(row.key)}
                    onEdit={onEdit}
                    onActive={setActive}
                    onReply={onReply}
                    onSelect={onSelect}
                  />
                );
              case "outgoing":
                return <OutgoingRow key={row.key} roomId={roomId} one={row.one} />;
            }
          })}
        </Virtualizer>
      </div>
      {(away || room.newer !== "") && <ToPresent roomId={roomId} onPress={toPresent} />}
    </div>
  );
}

/**
 * A room as it is, but for its first messages: drawing them takes long on a phone, so it is
 * done in parts, and whoever types or presses goes first.
 */
function useArrived(room: Room): Room {
  const [there, setThere] = useState(room.messages.length > 0);
  // Once they are there, nothing is drawn a second time for what comes.
  const before = useDeferredValue(there ? emptyRoom : room);
  if (!there && before.messages.length > 0) setThere(true);
  const waits = !there && room.messages.length > 0;
  useEffect(() => {
    if (!waits) return;
    const timer = setTimeout(() => setThere(true), patience);
    return () => clearTimeout(timer);
  }, [waits]);
  return waits ? before : room;
}

/** Whether rows were added before those that were there: then what is read stays where it is. */
function useShift(rows: readonly Row[]): boolean {
  const before = useRef({ rows, shift: false });
  if (before.current.rows !== rows) {
    const first = before.current.rows[0]?.key;
    const known = first !== undefined && rows[0]?.key !== first && rows.some((row) => row.key === before.current.rows.at(-1)?.key);
    before.current = { rows, shift: known };
  }
  return before.current.shift;
}

/** Whether some of a message is within what is seen of the list. */
function isSeen(id: string, list: HTMLElement): boolean {
  const row = document.getElementById(id)?.getBoundingClientRect();
  const box = list.getBoundingClientRect();
  return row !== undefined && row.bottom > box.top && row.top < box.bottom;
}

/** Messages as they are shown: by days, what is new, and who goes on. */
function rowsOf(room: Room, meId: string | undefined): readonly Row[] {
  const rows: Row[] = [];
  if (room.older === "end") rows.push({ kind: "start", key: "start" });
  let previous: Message | undefined;
  let isNewShown = room.newFrom === undefined;
  for (const message of room.messages) {
    const time = timeOf(message);
    const earlier = previous === undefined ? undefined : timeOf(previous);
    const newDay = earlier === undefined || earlier.toDateString() !== time.toDateString();
    if (newDay) rows.push({ kind: "day", key: `day-${message.id}`, time });
    const isNew = !isNewShown && message.sequence > (room.newFrom ?? 0n) && message.authorId !== meId;
    if (isNew) {
      isNewShown = true;
      rows.push({ kind: "new", key: "new", time });
    }
    const grouped =
      !newDay &&
      !isNew &&
      previous?.authorId === message.authorId &&
      message.replyTo === undefined &&
      time.getTime() - earlier.getTime() < together;
    rows.push({ kind: "message", key: message.id, message, grouped });
    previous = message;
  }
  return [...rows, ...room.outgoing.map((one) => ({ kind: "outgoing", key: one.nonce, one }) as const)];
}

function timeOf({ createTime }: Message): Date {
  return createTime === undefined ? new Date(0) : timestampDate(createTime);
}

function ToPresent({ roomId, onPress }: { readonly roomId: string; readonly onPress: () => void }): ReactNode {
  const say = useSay();
  const unread = useKnown((state) => (state.reads[roomId]?.unreadCount ?? 0) > 0);
  return (
    <div className="pointer-events-none absolute inset-x-0 bottom-2 grid justify-items-center">
      <Button className="pointer-events-auto shadow-2!" onClick={onPress}>
        <ArrowDown size={16} aria-hidden /> {say(unread ? "list.newBelow" : "list.toPresent")}
      </Button>
    </div>
  );
}

function DayLine({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <h2 className={classes("flex items-center gap-3 pt-4 pb-1 text-12 font-medium text-faint compact:pt-2", look.gutter)}>
      {children}
      <span className="h-px grow bg-line" />
    </h2>
  );
}

function NewLine({ time }: { readonly time: Date }): ReactNode {
  const say = useSay();
  return (
    <p className={classes("flex items-center gap-3 py-1.5 text-12 font-semibold text-mention-text compact:py-0.5", look.gutter)}>
      <span className="h-px w-9 bg-mention" />
      {say("channel.new", { time: clock(time) })}
      <span className="h-px grow bg-mention-soft" />
    </p>
  );
}
