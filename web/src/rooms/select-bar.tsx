import { Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";

import { counted, figure } from "@/i18n/plural";
import { useKnown } from "@/store/react";
import { Confirm } from "@/ui/confirm";
import { useMutation } from "@/ui/mutation";
import { Button } from "@/ui/parts";

import { most, type Selection } from "./selection";
import { useSay } from "./texts";
import { useDoing } from "./use-doing";

interface SelectBarProps {
  readonly roomId: string;
  readonly selection: Selection;
  readonly onDone: () => void;
}

/** How many messages are selected, and what can be done with all of them. */
export function SelectBar({ roomId, selection, onDone }: SelectBarProps): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const messages = useKnown((state) => state.rooms[roomId]?.messages);
  const [sure, setSure] = useState(false);
  // What is deleted is what is counted: those that are still there.
  const ids = (messages ?? []).map((one) => one.id).filter((id) => selection.ids.has(id));
  const forms = (key: "select.count" | "select.sure" | "select.delete"): string => counted(say(key, { count: figure(ids.length) }), ids.length);
  const remove = useMutation(
    async () => {
      await doing.removeAll(roomId, ids);
      onDone();
    },
    { NOT_FOUND: "channel.gone" },
    say,
  );
  return (
    <section
      aria-label={say("select.label")}
      className="mx-2.5 mb-2.5 flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1.5 rounded-card bg-overlay py-2 ps-4 pe-2 shadow-[inset_0_0_0_1px_var(--line-strong)] mid:mx-5 mid:mb-4"
    >
      <p role="status" className="grow font-medium tabular-nums">
        {forms("select.count")}
        {selection.ids.size >= most && <span className="block text-12 font-normal text-muted">{say("select.most", { count: figure(most) })}</span>}
      </p>
      <span className="text-12 text-faint max-wide:hidden">{say("select.hint")}</span>
      <span className="flex gap-2">
        <Button onClick={onDone}>{say("common.cancel")}</Button>
        <Button look={ids.length === 0 ? "plain" : "danger"} className="disabled:opacity-60" disabled={ids.length === 0} onClick={() => setSure(true)}>
          <Trash2 size={16} aria-hidden /> {say("common.delete")}
        </Button>
      </span>
      {sure && (
        <Confirm
          title={forms("select.sure")}
          lead={say("select.gone")}
          action={forms("select.delete")}
          busy={remove.busy}
          error={remove.error}
          onDo={remove.submit}
          onClose={() => setSure(false)}
        />
      )}
    </section>
  );
}
