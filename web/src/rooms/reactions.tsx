import { SmilePlus } from "lucide-react";
import { type ReactNode, useState } from "react";

import type { Message } from "@creavio/client/chat/v1/message";
import { Permission } from "@creavio/client/options/v1/permission";
import { useActions } from "@/ui/context";
import { classes } from "@/ui/parts";

import { EmojiPopover } from "./emoji-popover";
import { useRights } from "./where";
import { useSay } from "./texts";

/** How people reacted; pressed, one does so too, or no more. */
export function Reactions({ message }: { readonly message: Message }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const may = useRights();
  const [open, setOpen] = useState(false);
  const react = (emoji: string): void => void actions.react(message, emoji).catch(() => {});
  const mayReact = may(Permission.ADD_REACTIONS);
  return (
    <ul className="mt-1 mb-0.5 flex flex-wrap gap-1.5">
      {message.reactions.map(({ emoji, count, reacted }) => (
        <li key={emoji}>
          <button
            type="button"
            aria-pressed={reacted}
            aria-label={`${say("message.react", { emoji })}, ${count}`}
            disabled={!mayReact && !reacted}
            onClick={() => react(emoji)}
            className={classes(
              "inline-flex h-6.5 items-center gap-1.5 rounded-full px-2.25 text-13 tabular-nums",
              reacted
                ? "bg-accent-soft font-semibold text-accent-text shadow-[inset_0_0_0_1.5px_var(--accent)]"
                : "bg-sunken text-muted shadow-[inset_0_0_0_1px_var(--line)]",
            )}
          >
            <span className="max-w-16 truncate">{emoji}</span> {count}
          </button>
        </li>
      ))}
      {mayReact && (
        <li>
          <EmojiPopover open={open} onOpen={setOpen} onPick={react}>
            <button
              type="button"
              aria-label={say("message.addReaction")}
              className="inline-grid h-6.5 w-8 place-items-center rounded-full text-faint shadow-[inset_0_0_0_1px_var(--line)] hover:bg-hover hover:text-text"
            >
              <SmilePlus size={14} strokeWidth={2} aria-hidden />
            </button>
          </EmojiPopover>
        </li>
      )}
    </ul>
  );
}
