import { type ReactNode, useState } from "react";

import { useSay as useSayCore } from "@/i18n";
import { Button, Dialog, Field, Wrong } from "./parts";

interface ConfirmProps {
  readonly title: string;
  /** What will happen, and to whom. */
  readonly lead: ReactNode;
  readonly action: string;
  readonly danger?: boolean;
  /** What is to be typed first, where a click is not enough. */
  readonly typed?: { readonly label: string; readonly text: string };
  readonly busy: boolean;
  readonly error: string | undefined;
  readonly children?: ReactNode;
  readonly onDo: () => void;
  readonly onClose: () => void;
}

/** Asks before something is done; it is there while it is open. */
export function Confirm({ title, lead, action, danger = true, typed, busy, error, children, onDo, onClose }: ConfirmProps): ReactNode {
  const say = useSayCore();
  const [text, setText] = useState("");
  return (
    <Dialog title={title} open onClose={onClose}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          onDo();
        }}
      >
        <div className="text-muted [overflow-wrap:anywhere]">{lead}</div>
        {children}
        {typed !== undefined && (
          <Field label={typed.label} value={text} autoComplete="off" onChange={(event) => setText(event.target.value)} />
        )}
        <Wrong>{error}</Wrong>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{say("common.cancel")}</Button>
          <Button type="submit" look={danger ? "danger" : "primary"} disabled={busy || (typed !== undefined && text !== typed.text)}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
