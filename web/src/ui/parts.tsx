import { X } from "lucide-react";
import { type ButtonHTMLAttributes, type ComponentPropsWithRef, type InputHTMLAttributes, type ReactNode, useEffect, useId, useRef } from "react";

import { PresenceStatus } from "@creavio/client/gateway/v1/presence";
import { useSay } from "@/i18n";

import { hueOf } from "./hue";
import { Motif } from "./motif";

export function classes(...names: (string | false | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}

const looks = {
  primary: "bg-accent text-on-accent hover:bg-accent-hover disabled:opacity-60",
  plain: "bg-raised text-text shadow-[inset_0_0_0_1px_color-mix(in_oklch,var(--line-strong)_55%,transparent)] hover:bg-hover",
  quiet: "text-muted hover:bg-hover hover:text-text",
  danger: "bg-danger-fill text-on-danger",
} as const;

/** A line of a menu. */
export const menuItem =
  "flex min-h-9 cursor-default items-center gap-2.5 rounded-control px-2.5 outline-none data-[highlighted]:bg-hover";

/** What went wrong, if anything did. */
export function Wrong({ children }: { readonly children: string | undefined }): ReactNode {
  if (children === undefined) return null;
  return (
    <p role="alert" className="text-13 text-danger">
      {children}
    </p>
  );
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: keyof typeof looks;
  readonly big?: boolean;
}

export function Button({ look = "plain", big = false, className, ...rest }: ButtonProps): ReactNode {
  return (
    <button
      type="button"
      className={classes(
        "inline-flex items-center justify-center gap-2 whitespace-nowrap font-medium transition-colors duration-[120ms]",
        big ? "min-h-11 rounded-[12px] px-4.5 text-15" : "min-h-9 rounded-control px-3.5",
        looks[look],
        className,
      )}
      {...rest}
    />
  );
}

interface IconButtonProps extends ComponentPropsWithRef<"button"> {
  readonly label: string;
}

export function IconButton({ label, className, children, ...rest }: IconButtonProps): ReactNode {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={classes(
        "inline-grid size-8 shrink-0 place-items-center rounded-[8px] text-muted transition-colors duration-[120ms] hover:bg-hover hover:text-text max-mid:size-10",
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
}

export function Field({ label, hint, error, className, ...rest }: FieldProps): ReactNode {
  const id = useId();
  const described = error !== undefined ? `${id}-error` : hint !== undefined ? `${id}-hint` : undefined;
  return (
    <div className={classes("grid gap-1.5", className)}>
      <label htmlFor={id} className="text-13 font-medium">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={error !== undefined}
        aria-describedby={described}
        className={classes(
          "min-h-10 min-w-0 rounded-control bg-overlay px-3 text-15 focus:outline-2 focus:-outline-offset-1 focus:outline-focus",
          error === undefined ? "shadow-[inset_0_0_0_1px_var(--line-strong)]" : "shadow-[inset_0_0_0_1.5px_var(--danger)]",
        )}
        {...rest}
      />
      {error !== undefined ? (
        <p id={`${id}-error`} role="alert" className="text-12 text-danger">
          {error}
        </p>
      ) : hint !== undefined ? (
        <p id={`${id}-hint`} className="text-12 text-faint">
          {hint}
        </p>
      ) : null}
    </div>
  );
}

interface DialogProps {
  readonly title: string;
  readonly open: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** What is asked before everything else. The browser keeps the focus inside. */
export function Dialog({ title, open, onClose, children }: DialogProps): ReactNode {
  const say = useSay();
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!open) return;
    const before = document.activeElement;
    box.current?.showModal();
    // Where there is something to fill in, that is what one came for, and not the way out.
    box.current?.querySelector<HTMLElement>("input:not([hidden], [readonly]), textarea")?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [open]);
  if (!open) return null;
  return (
    <dialog
      ref={box}
      aria-labelledby={id}
      onClose={onClose}
      // Pressed beside it: what is inside fills it.
      onClick={(event) => event.target === box.current && onClose()}
      className="mx-auto mt-[min(12dvh,6rem)] max-h-[calc(100dvh-min(12dvh,6rem)-1rem)] w-[min(26rem,calc(100vw-2rem))] rounded-dialog bg-overlay text-text shadow-3 backdrop:bg-scrim"
    >
      <div className="grid gap-4 p-5">
        <div className="flex items-center gap-2">
          <h2 id={id} className="font-display text-20 font-bold tracking-[-0.012em]">
            {title}
          </h2>
          <IconButton label={say("common.close")} className="ms-auto" onClick={onClose}>
            <X size={18} strokeWidth={1.75} aria-hidden />
          </IconButton>
        </div>
        {children}
      </div>
    </dialog>
  );
}

/** The mark: an open ring, and a seat at the opening. */
export function Mark({ size = 28, className }: { readonly size?: number; readonly className?: string }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden className={className}>
      <path
        d="M24.2 9.2A11 11 0 1 0 24.2 22.8"
        fill="none"
        stroke="var(--accent)"
        strokeWidth="4.6"
        strokeLinecap="round"
        transform="translate(-1.5 0)"
      />
      <circle cx="26.6" cy="16" r="3.4" fill="var(--mention)" />
    </svg>
  );
}

const shapes: Partial<Record<PresenceStatus, string>> = {
  [PresenceStatus.ONLINE]: "rounded-full bg-presence-here",
  [PresenceStatus.IDLE]: "rounded-full border-[2.5px] border-presence-away border-e-transparent -rotate-45",
  [PresenceStatus.DO_NOT_DISTURB]: "h-1! rounded-[2px] bg-presence-quiet",
};

interface AvatarProps {
  readonly id: string;
  /** `row` is that of who speaks: small where messages stand close together. */
  readonly size?: "s" | "m" | "l" | "row";
  readonly presence?: PresenceStatus | undefined;
}

const sizes = { s: "size-6 text-11", m: "size-9 text-13", l: "size-18 text-26", row: "size-9 text-13 compact:size-6 compact:text-11" } as const;

/** A person: always round. */
export function Avatar({ id, size = "m", presence }: AvatarProps): ReactNode {
  return (
    <span className={classes("relative inline-grid shrink-0", sizes[size], hueOf(id))} aria-hidden>
      <span className="overflow-hidden rounded-full bg-hue-soft">
        <Motif id={id} className="size-full" />
      </span>
      {presence !== undefined && (
        <span className="absolute -end-0.5 -bottom-0.5 grid size-3.25 place-items-center rounded-full bg-surface">
          <span className={classes("size-2.25", shapes[presence] ?? "rounded-full border-2 border-presence-off")} />
        </span>
      )}
    </span>
  );
}

/** A place: always square. */
export function Tile({ id, className }: { readonly id: string; readonly className?: string }): ReactNode {
  return (
    <span aria-hidden className={classes("block size-10.5 overflow-hidden rounded-[13px] bg-hue-soft", hueOf(id), className)}>
      <Motif id={id} className="size-full" />
    </span>
  );
}

export function Count({ children }: { readonly children: number }): ReactNode {
  return (
    <span className="inline-grid h-4.5 min-w-4.5 place-items-center rounded-full bg-mention px-1.25 text-11 font-bold leading-none text-on-mention tabular-nums">
      {children > 99 ? "99+" : children}
    </span>
  );
}
