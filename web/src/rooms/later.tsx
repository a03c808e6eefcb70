import { type ReactNode, useState } from "react";

import { useMutation } from "@/ui/mutation";
import { Button, Field, Wrong } from "@/ui/parts";

import { useSay } from "./texts";

/** As a field for a moment has it: the person's own time, to the minute. */
export function local(time: Date): string {
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function morning(days: number): Date {
  const time = new Date();
  time.setDate(time.getDate() + days);
  time.setHours(9, 0, 0, 0);
  return time;
}

/** Whether a field says a moment at which nothing can be sent any more, or none. */
export function past(when: string): boolean {
  return !(new Date(when).getTime() > Date.now());
}

interface WhenProps {
  /** As a field for a moment has it. */
  readonly value: string;
  readonly onChange: (when: string) => void;
}

/** A moment to come, and the usual ones at hand. */
export function When({ value, onChange }: WhenProps): ReactNode {
  const say = useSay();
  const untilMonday = (8 - new Date().getDay()) % 7 || 7;
  return (
    <>
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => onChange(local(new Date(Date.now() + 3_600_000)))}>{say("later.hour")}</Button>
        <Button onClick={() => onChange(local(morning(1)))}>{say("later.tomorrow")}</Button>
        <Button onClick={() => onChange(local(morning(untilMonday)))}>{say("later.monday")}</Button>
      </div>
      <Field
        type="datetime-local"
        label={say("later.when")}
        value={value}
        min={local(new Date())}
        error={value !== "" && past(value) ? say("later.past") : undefined}
        onChange={(event) => onChange(event.target.value)}
      />
    </>
  );
}

/** When a message is to be sent. */
export function Later({ schedule }: { readonly schedule: (when: Date) => Promise<void> }): ReactNode {
  const say = useSay();
  const [when, setWhen] = useState(() => local(new Date(Date.now() + 3_600_000)));
  const save = useMutation(() => schedule(new Date(when)));
  return (
    <form className="grid gap-4" onSubmit={save.submit}>
      <When value={when} onChange={setWhen} />
      <Wrong>{save.error}</Wrong>
      <Button type="submit" look="primary" disabled={save.busy || past(when)}>
        {say("later.keep")}
      </Button>
    </form>
  );
}
