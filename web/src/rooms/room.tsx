import { CloudOff } from "lucide-react";
import { type KeyboardEvent, lazy, type ReactNode, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";

import type { Message } from "@creavio/client/chat/v1/message";
import { Permission } from "@creavio/client/options/v1/permission";
import { useTarget } from "@/route";
import { useKnown } from "@/store/react";
import { store } from "@/store/store";
import { useActions } from "@/ui/context";
import { AcceptRules } from "@/ui/late";

import { Composer } from "./composer";
import { Messages } from "./messages";
import { pressed, type Selection } from "./selection";
import { Typing } from "./typing";
import { useAskedRights, useRights, type Where, WhereProvider } from "./where";
import { useSay } from "./texts";

const SelectBar = lazy(async () => ({ default: (await import("./select-bar")).SelectBar }));

interface RoomProps extends Where {
  readonly name: string;
  /** What is said where the room begins. */
  readonly start: ReactNode;
  /** Whether the address may point to a message here. */
  readonly pointed: boolean;
  /** What stands in the place of the field, where one may not write. */
  readonly closed?: ReactNode;
}

/** What is said in a channel, a conversation or a thread, and where one says something. */
export function Room({ roomId, communityId, channelId, name, start, pointed, closed }: RoomProps): ReactNode {
  const actions = useActions();
  const [replyTo, setReplyTo] = useState<Message>();
  const [editing, setEditing] = useState("");
  const hash = useTarget();
  const target = pointed ? hash : "";
  const stale = useKnown((state) => state.rooms[roomId]?.staleTo !== undefined);
  const where = useMemo(() => ({ roomId, communityId, channelId }), [roomId, communityId, channelId]);
  useAskedRights(where);
  const may = useRights(where);
  const box = useRef<HTMLDivElement>(null);
  const [selected, setSelected] = useState<Selection>();
  const selection = may(Permission.MANAGE_MESSAGES) ? selected : undefined;
  const select = useCallback(
    (id: string, range: boolean): void => {
      const order = store.getState().rooms[roomId]?.messages.map((one) => one.id) ?? [];
      setEditing("");
      setSelected((now) => pressed(now ?? { ids: new Set(), from: "" }, id, order, range));
      // Whoever began it goes on from there.
      requestAnimationFrame(() => document.getElementById(id)?.contains(document.activeElement) === true || document.getElementById(id)?.focus());
    },
    [roomId],
  );
  const selectNone = (): void => setSelected(undefined);
  const selecting = selection !== undefined;
  useEffect(() => {
    if (!selecting) return;
    const room = box.current;
    return () => {
      // What was pressed last is not there any more: one goes on among the messages.
      if (document.activeElement === document.body) room?.querySelector<HTMLElement>("article[tabindex='0'], textarea")?.focus();
    };
  }, [selecting]);
  const leave = (event: KeyboardEvent): void => {
    if (!selecting || event.key !== "Escape" || event.defaultPrevented) return;
    if (event.target instanceof Element && event.target.closest("dialog") !== null) return;
    event.preventDefault();
    event.stopPropagation();
    selectNone();
  };
  useEffect(() => {
    const entered = target === "" ? actions.enter(roomId) : actions.jump(roomId, { messageId: target });
    void entered.catch(() => {});
  }, [actions, roomId, stale, target]);
  const editLast = (): void => {
    const { rooms, me } = store.getState();
    const last = rooms[roomId]?.messages.findLast((one) => one.authorId === me?.id && one.poll === undefined);
    if (last !== undefined) setEditing(last.id);
  };
  return (
    <WhereProvider value={where}>
      <div ref={box} className="flex min-h-0 grow flex-col" onKeyDown={leave}>
        <Messages
          roomId={roomId}
          communityId={communityId}
          name={name}
          start={start}
          target={target}
          editing={editing}
          selection={selection}
          onEdit={setEditing}
          onReply={setReplyTo}
          onSelect={select}
        />
        <Typing roomId={roomId} />
        <Offline />
        {communityId !== "" && roomId === channelId && <AcceptRules communityId={communityId} />}
        {selection !== undefined && (
          <Suspense fallback={null}>
            <SelectBar roomId={roomId} selection={selection} onDone={selectNone} />
          </Suspense>
        )}
        {/* What was begun to be written is there again afterwards. */}
        <div className={selecting ? "hidden" : "contents"}>
          {closed ?? <Composer name={name} replyTo={replyTo} onReplied={() => setReplyTo(undefined)} onEditLast={editLast} />}
        </div>
      </div>
    </WhereProvider>
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
