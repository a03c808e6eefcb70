import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type ReactNode, useEffect, useRef, useState } from "react";

import type { ScheduledMessage } from "@creavio/client/chat/v1/scheduled_message";
import { Area } from "@/settings/parts";
import { whole } from "@/ui/dates";
import { useMutation } from "@/ui/mutation";
import { Button, Wrong } from "@/ui/parts";

import type { Key } from "./en";
import { local, past, When } from "./later";
import { reason } from "./message";
import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import { asTyped, asWritten } from "./written";

const longest = 4000;
const refusals: Readonly<Record<string, Key>> = { NOT_FOUND: "later.gone", CONCURRENT_CHANGE: "later.sending" };

/** What waits to be sent, wherever it is for. */
export function Scheduled(): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const [waiting, setWaiting] = useState<readonly ScheduledMessage[]>();
  const [editing, setEditing] = useState("");
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (editing === "") return;
    // What was edited is where one goes on.
    return () => list.current?.querySelector<HTMLElement>(`#edit-${editing}`)?.focus();
  }, [editing]);
  useEffect(() => {
    void doing.scheduled().then(setWaiting, () => setWaiting([]));
  }, [doing]);
  if (waiting?.length === 0) return <p className="text-muted">{say("later.none")}</p>;
  return (
    <ul ref={list} className="grid max-h-[60dvh] gap-3 overflow-y-auto p-0.5">
      {waiting?.map((one) => (
        <li key={one.id} className="grid grid-cols-[minmax(0,1fr)] gap-1.5 border-b border-line pb-3 last:border-0">
          {one.id === editing ? (
            <Change
              message={one}
              onSaved={(changed) => {
                setWaiting(bySendTime(waiting.map((other) => (other.id === changed.id ? changed : other))));
                setEditing("");
              }}
              onDone={() => setEditing("")}
            />
          ) : (
            <Waits message={one} onEdit={() => setEditing(one.id)} onCancelled={() => setWaiting(waiting.filter((other) => other.id !== one.id))} />
          )}
        </li>
      ))}
    </ul>
  );
}

interface WaitsProps {
  readonly message: ScheduledMessage;
  readonly onEdit: () => void;
  readonly onCancelled: () => void;
}

function Waits({ message, onEdit, onCancelled }: WaitsProps): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const cancel = useMutation(
    async () => {
      await doing.cancelScheduled(message.id);
      onCancelled();
    },
    refusals,
    say,
  );
  return (
    <>
      <p dir="auto" className="line-clamp-4 whitespace-pre-wrap [overflow-wrap:anywhere]">
        {asTyped(message.content)}
      </p>
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-12 text-muted">
        {message.sendTime !== undefined && <time className="grow">{whole(timestampDate(message.sendTime))}</time>}
        {message.failureReason !== "" && <span className="basis-full text-danger">{say("later.failed", { why: reason(message.failureReason) })}</span>}
        <span className="ms-auto flex gap-1">
          <Button id={`edit-${message.id}`} look="quiet" className="min-h-7! px-2.5! text-12 max-mid:min-h-11!" onClick={onEdit}>
            {say("message.edit")}
          </Button>
          <Button look="quiet" className="min-h-7! px-2.5! text-12 max-mid:min-h-11!" disabled={cancel.busy} onClick={() => cancel.submit()}>
            {say("later.cancel")}
          </Button>
        </span>
      </div>
      <Wrong>{cancel.error}</Wrong>
    </>
  );
}

interface ChangeProps {
  readonly message: ScheduledMessage;
  readonly onSaved: (message: ScheduledMessage) => void;
  readonly onDone: () => void;
}

/** What is to be sent, and when, said anew; of the two only what is another is changed. */
function Change({ message, onSaved, onDone }: ChangeProps): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const before = message.sendTime === undefined ? "" : local(timestampDate(message.sendTime));
  const [content, setContent] = useState(() => asTyped(message.content));
  const [when, setWhen] = useState(before);
  const over = [...content].length - longest;
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const field = form.current?.querySelector("textarea");
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  }, []);
  const save = useMutation(
    async () => {
      const text = asWritten(content.trim(), message.channelId);
      const changed = {
        ...(text === message.content ? {} : { content: text }),
        // One that could not be sent waits again for the time that is shown.
        ...(when === before && message.failureReason === "" ? {} : { sendTime: timestampFromDate(new Date(when)) }),
      };
      if (Object.keys(changed).length === 0) onDone();
      else onSaved(await doing.reschedule(message.id, changed));
    },
    refusals,
    say,
  );
  return (
    <form
      ref={form}
      aria-label={say("later.change")}
      className="grid gap-3"
      onSubmit={save.submit}
      onKeyDown={(event) => {
        // Leaves what is edited, and not what it stands in.
        if (event.key !== "Escape") return;
        event.preventDefault();
        onDone();
      }}
    >
      <Area
        label={say("later.text")}
        required
        value={content}
        error={over > 0 ? say("composer.tooLong", { count: over }) : undefined}
        onChange={(event) => setContent(event.target.value)}
      />
      <When value={when} onChange={setWhen} />
      <Wrong>{save.error}</Wrong>
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>{say("common.cancel")}</Button>
        <Button type="submit" look="primary" disabled={save.busy || content.trim() === "" || over > 0 || past(when)}>
          {say("common.save")}
        </Button>
      </div>
    </form>
  );
}

/** The soonest first, as the platform lists them. */
function bySendTime(messages: readonly ScheduledMessage[]): readonly ScheduledMessage[] {
  const time = ({ sendTime }: ScheduledMessage): number => (sendTime === undefined ? 0 : timestampDate(sendTime).getTime());
  return messages.toSorted((a, b) => time(a) - time(b));
}
