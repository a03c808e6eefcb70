import { Popover } from "radix-ui";
import { lazy, type ReactNode, type RefObject, Suspense } from "react";

// Its list is long, and most never open it.
const EmojiPicker = lazy(async () => ({ default: (await import("./emoji-picker")).EmojiPicker }));

interface EmojiPopoverProps {
  readonly open: boolean;
  readonly onOpen: (open: boolean) => void;
  readonly onPick: (emoji: string) => void;
  readonly align?: "start" | "end";
  /** What has the focus once it is closed; what opened it where nothing is named. */
  readonly returnTo?: RefObject<HTMLElement | null>;
  /** What opens it. */
  readonly children: ReactNode;
}

/** A choice of emoji beside what opened it. */
export function EmojiPopover({ open, onOpen, onPick, align = "end", returnTo, children }: EmojiPopoverProps): ReactNode {
  return (
    <Popover.Root open={open} onOpenChange={onOpen}>
      <Popover.Trigger asChild>{children}</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align={align}
          sideOffset={6}
          collisionPadding={8}
          onCloseAutoFocus={(event) => {
            if (returnTo === undefined) return;
            event.preventDefault();
            returnTo.current?.focus();
          }}
          className="z-50 h-92 w-[min(22rem,calc(100vw-1rem))] overflow-hidden rounded-card bg-overlay shadow-2"
        >
          <Suspense fallback={null}>
            <EmojiPicker
              onPick={(emoji) => {
                onOpen(false);
                onPick(emoji);
              }}
            />
          </Suspense>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
