import type { ReactNode } from "react";

import { Button, Wrong } from "@/ui/parts";

import { useSay } from "./texts";

interface SaveBarProps {
  readonly changed: boolean;
  /** How much is changed; that something is, when left out. */
  readonly title?: string;
  readonly busy: boolean;
  readonly error: string | undefined;
  /** What will change, and for whom. */
  readonly what?: string;
  readonly onUndo: () => void;
  readonly onSave: () => void;
}

/** What is changed and not yet kept, and the one way to keep it. */
export function SaveBar({ changed, title, busy, error, what, onUndo, onSave }: SaveBarProps): ReactNode {
  const say = useSay();
  return (
    <div role="status" className="pointer-events-none absolute inset-x-3 bottom-3 z-10 mid:inset-x-5 mid:bottom-4">
      {changed && (
        <div className="pointer-events-auto flex max-w-[44rem] flex-wrap items-center gap-2 rounded-card bg-overlay py-2 ps-4 pe-2 text-13 shadow-3">
          <span className="grow">
            <b className="font-semibold">{title ?? say("settings.unsaved")}</b> {what !== undefined && <span className="text-faint max-mid:hidden">{what}</span>}
            <Wrong>{error}</Wrong>
          </span>
          <Button look="quiet" onClick={onUndo}>
            {say("settings.undo")}
          </Button>
          <Button look="primary" disabled={busy} onClick={onSave}>
            {say("settings.save")}
          </Button>
        </div>
      )}
    </div>
  );
}
