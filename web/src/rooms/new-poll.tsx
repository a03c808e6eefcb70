import { Plus, X } from "lucide-react";
import { type ReactNode, useState } from "react";

import { useMutation } from "@/ui/mutation";
import { Button, Field, IconButton, Wrong } from "@/ui/parts";

import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import { useWhere } from "./where";

const most = 10;
const least = 2;

/** A question to everybody, before it is asked. */
export function NewPoll({ onDone }: { readonly onDone: () => void }): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const { roomId } = useWhere();
  const [question, setQuestion] = useState("");
  const [options, setOptions] = useState<readonly string[]>(["", ""]);
  const [multiple, setMultiple] = useState(false);
  const [anonymous, setAnonymous] = useState(false);
  const [openHours, setOpenHours] = useState(24);
  const given = options.map((one) => one.trim()).filter((one) => one !== "");
  const ask = useMutation(async () => {
    await doing.ask(roomId, { question: question.trim(), options: given, multiple, anonymous, openHours });
    onDone();
  });
  return (
    <form className="grid gap-4" onSubmit={ask.submit}>
      <Field label={say("poll.question")} value={question} maxLength={300} autoFocus error={ask.fields["poll.question"]} onChange={(event) => setQuestion(event.target.value)} />
      <ul className="grid gap-2">
        {options.map((option, at) => (
          <li key={at} className="flex items-end gap-1">
            <Field
              className="grow"
              label={say("poll.option", { number: at + 1 })}
              value={option}
              maxLength={100}
              onChange={(event) => setOptions(options.map((one, other) => (other === at ? event.target.value : one)))}
            />
            {options.length > least && (
              <IconButton label={say("poll.removeOption", { number: at + 1 })} className="mb-1" onClick={() => setOptions(options.filter((_, other) => other !== at))}>
                <X size={16} aria-hidden />
              </IconButton>
            )}
          </li>
        ))}
      </ul>
      {options.length < most && (
        <Button look="quiet" className="justify-self-start" onClick={() => setOptions([...options, ""])}>
          <Plus size={16} aria-hidden /> {say("poll.addOption")}
        </Button>
      )}
      <div className="grid gap-2.5">
        <Check checked={multiple} onChange={setMultiple}>
          {say("poll.multiple")}
        </Check>
        <Check checked={anonymous} onChange={setAnonymous}>
          {say("poll.anonymous")}
        </Check>
        <label className="flex items-center gap-2.5">
          {say("poll.hours")}
          <select value={openHours} onChange={(event) => setOpenHours(Number(event.target.value))} className="min-h-9 rounded-control bg-sunken px-2">
            <option value={1}>{say("poll.hour")}</option>
            <option value={24}>{say("poll.day")}</option>
            <option value={168}>{say("poll.week")}</option>
            <option value={0}>{say("poll.always")}</option>
          </select>
        </label>
      </div>
      <Wrong>{ask.error}</Wrong>
      <Button type="submit" look="primary" disabled={ask.busy || question.trim() === "" || given.length < least}>
        {say("poll.ask")}
      </Button>
    </form>
  );
}

interface CheckProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly children: ReactNode;
}

function Check({ checked, onChange, children }: CheckProps): ReactNode {
  return (
    <label className="flex min-h-6 items-center gap-2.5">
      <input type="checkbox" className="size-4 accent-accent" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      {children}
    </label>
  );
}
