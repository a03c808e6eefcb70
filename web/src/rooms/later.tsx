import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type ReactNode, useEffect, useState } from "react";

import type { ScheduledMessage } from "@creavio/client/chat/v1/scheduled_message";
import { whole } from "@/ui/dates";
import { useMutation } from "@/ui/mutation";
import { Button, Field, Wrong } from "@/ui/parts";

import { reason } from "./message";
import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import { asTyped } from "./written";

/** As a field for a moment has it: the person's own time, to the minute. */
function local(time: Date): string {
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function morning(days: number): Date {
  const time = new Date();
  time.setDate(time.getDate() + days);
  time.setHours(9, 0, 0, 0);
  return time;
}

/** When a message is to be sent. */
export function Later({ schedule }: { readonly schedule: (when: Date) => Promise<void> }): ReactNode {
  const say = useSay();
  const [when, setWhen] = useState(() => local(new Date(Date.now() + 3_600_000)));
  const save = useMutation(() => schedule(new Date(when)));
  const past = new Date(when).getTime() <= Date.now();
  const untilMonday = (8 - new Date().getDay()) % 7 || 7;
  return (
    <form className="grid gap-4" onSubmit={save.submit}>
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => setWhen(local(new Date(Date.now() + 3_600_000)))}>{say("later.hour")}</Button>
        <Button onClick={() => setWhen(local(morning(1)))}>{say("later.tomorrow")}</Button>
        <Button onClick={() => setWhen(local(morning(untilMonday)))}>{say("later.monday")}</Button>
      </div>
      <Field
        type="datetime-local"
        label={say("later.when")}
        value={when}
        min={local(new Date())}
        error={past ? say("later.past") : undefined}
        onChange={(event) => setWhen(event.target.value)}
      />
      <Wrong>{save.error}</Wrong>
      <Button type="submit" look="primary" disabled={save.busy || when === "" || past}>
        {say("later.keep")}
      </Button>
    </form>
  );
}

/** What waits to be sent, wherever it is for. */
export function Scheduled(): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const [waiting, setWaiting] = useState<readonly ScheduledMessage[]>();
  useEffect(() => {
    void doing.scheduled().then(setWaiting, () => setWaiting([]));
  }, [doing]);
  if (waiting?.length === 0) return <p className="text-muted">{say("later.none")}</p>;
  return (
    <ul className="grid max-h-[60dvh] gap-3 overflow-y-auto">
      {waiting?.map((one) => (
        <li key={one.id} className="grid gap-1.5 border-b border-line pb-3 last:border-0">
          <p dir="auto" className="line-clamp-4 whitespace-pre-wrap [overflow-wrap:anywhere]">
            {asTyped(one.content)}
          </p>
          <div className="flex flex-wrap items-center gap-2 text-12 text-muted">
            {one.sendTime !== undefined && <time>{whole(timestampDate(one.sendTime))}</time>}
            {one.failureReason !== "" && <span className="text-danger">{say("later.failed", { why: reason(one.failureReason) })}</span>}
            <Button
              look="quiet"
              className="ms-auto min-h-7! text-12"
              onClick={() =>
                void doing.cancelScheduled(one.id).then(
                  () => setWaiting(waiting.filter((other) => other.id !== one.id)),
                  () => {},
                )
              }
            >
              {say("later.cancel")}
            </Button>
          </div>
        </li>
      ))}
    </ul>
  );
}
