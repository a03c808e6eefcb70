import { ArrowLeft, type LucideIcon, MoreHorizontal } from "lucide-react";
import { Popover } from "radix-ui";
import { type ButtonHTMLAttributes, createContext, forwardRef, type MouseEvent, type ReactNode, useCallback, useContext, useState } from "react";

import { go, type Place } from "@/route";
import { useNarrow } from "@/ui/narrow";
import { classes, IconButton, menuItem } from "@/ui/parts";

import { useSay } from "./texts";

interface BarProps {
  /** Where the list is, on a phone. */
  readonly back: Place;
  readonly sign: ReactNode;
  readonly title: string;
  readonly topic?: string;
  readonly children?: ReactNode;
}

/** What a page is, and what else it offers. */
export function Bar({ back, sign, title, topic = "", children }: BarProps): ReactNode {
  const say = useSay();
  const narrow = useNarrow();
  return (
    <header className="flex min-h-13.5 shrink-0 items-center gap-2 border-b border-line px-2 mid:px-5">
      <IconButton label={say("common.back")} className="mid:hidden" onClick={() => go(back)}>
        <ArrowLeft size={20} strokeWidth={1.75} aria-hidden className="rtl:-scale-x-100" />
      </IconButton>
      <h1 className="flex max-w-[70%] min-w-0 items-center gap-2 font-display mid:shrink-0 text-17 font-bold tracking-[-0.012em]">
        <span className="shrink-0 text-muted">{sign}</span>
        <bdi className="truncate">{title}</bdi>
      </h1>
      {topic !== "" && (
        <p dir="auto" className="min-w-0 truncate border-s border-line ps-3 text-13 text-muted max-mid:hidden">
          {topic}
        </p>
      )}
      <span className="ms-auto flex shrink-0">{narrow && children !== undefined ? <Folded>{children}</Folded> : children}</span>
    </header>
  );
}

/** Closes what a phone folds the bar into; undefined where it stands open. */
const Fold = createContext<(() => void) | undefined>(undefined);

function Folded({ children }: { readonly children: ReactNode }): ReactNode {
  const say = useSay();
  const [open, setOpen] = useState(false);
  const close = useCallback(() => setOpen(false), []);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <IconButton label={say("common.more")}>
          <MoreHorizontal size={20} strokeWidth={1.75} aria-hidden />
        </IconButton>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="end" sideOffset={6} aria-label={say("common.more")} className="z-40 grid min-w-60 gap-px rounded-card bg-overlay p-1.5 text-15 shadow-2">
          <Fold value={close}>{children}</Fold>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

interface BarButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> {
  readonly label: string;
  readonly icon: LucideIcon;
  /** Whether what it opens stands elsewhere, and not in the bar's own place. */
  readonly leads?: boolean;
}

/** A button of the bar: its sign, and on a phone its name. */
export const BarButton = forwardRef<HTMLButtonElement, BarButtonProps>(function BarButton({ label, icon: Icon, leads = false, ...rest }, ref): ReactNode {
  const close = useContext(Fold);
  if (close !== undefined) {
    const pressed = (event: MouseEvent<HTMLButtonElement>): void => {
      rest.onClick?.(event);
      if (leads) close();
    };
    return (
      <button ref={ref} type="button" className={classes(menuItem, "min-h-11! w-full")} {...rest} onClick={pressed}>
        <Icon size={18} strokeWidth={1.75} aria-hidden /> {label}
      </button>
    );
  }
  return (
    <IconButton ref={ref} label={label} {...rest}>
      <Icon size={18} strokeWidth={1.75} aria-hidden />
    </IconButton>
  );
});
