import { type InputHTMLAttributes, type ReactNode, type TextareaHTMLAttributes, useId } from "react";

import { classes } from "@/ui/parts";

interface ChoiceProps<T extends string> {
  readonly title: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly title: string; readonly hint?: string; readonly lang?: string }[];
  readonly onChange: (value: T) => void;
}

/** One of a few. */
export function Choice<T extends string>({ title, value, options, onChange }: ChoiceProps<T>): ReactNode {
  const name = useId();
  return (
    <fieldset className="grid gap-1.5">
      <legend className="mb-1.5 text-13 font-medium">{title}</legend>
      {options.map((one) => (
        <label
          key={one.value}
          lang={one.lang}
          className={classes(
            "flex min-h-11 items-center gap-3 rounded-control px-3.5 py-2",
            one.value === value ? "bg-accent-soft shadow-[inset_0_0_0_1.5px_var(--accent)]" : "shadow-[inset_0_0_0_1px_var(--line)] hover:bg-hover",
          )}
        >
          <input type="radio" name={name} checked={one.value === value} onChange={() => onChange(one.value)} className="size-4 accent-accent" />
          <span>
            {one.title}
            {one.hint !== undefined && <span className="block text-12 text-muted">{one.hint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

interface AreaProps extends TextareaHTMLAttributes<HTMLTextAreaElement> {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
}

/** A field for more than a line. */
export function Area({ label, hint, error, ...rest }: AreaProps): ReactNode {
  const id = useId();
  const described = error !== undefined || hint !== undefined ? `${id}-about` : undefined;
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-13 font-medium">
        {label}
      </label>
      <textarea
        id={id}
        rows={4}
        dir="auto"
        aria-invalid={error !== undefined}
        aria-describedby={described}
        className={classes(
          "min-w-0 resize-y rounded-control bg-overlay px-3 py-2 text-15 focus:outline-2 focus:-outline-offset-1 focus:outline-focus",
          error === undefined ? "shadow-[inset_0_0_0_1px_var(--line-strong)]" : "shadow-[inset_0_0_0_1.5px_var(--danger)]",
        )}
        {...rest}
      />
      {(error !== undefined || hint !== undefined) && (
        <p id={described} role={error === undefined ? undefined : "alert"} className={classes("text-12", error === undefined ? "text-faint" : "text-danger")}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

interface SwitchProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "onChange"> {
  readonly label: string;
  readonly hint?: string;
  readonly onChange: (on: boolean) => void;
}

/** Something that is on or off, at once. */
export function Switch({ label, hint, onChange, ...rest }: SwitchProps): ReactNode {
  const id = useId();
  return (
    <div className="flex min-h-11 items-center gap-4 rounded-card bg-overlay px-4 py-3 shadow-1">
      <span className="grid min-w-0 grow gap-0.5">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {hint !== undefined && (
          <span id={`${id}-hint`} className="text-12 text-muted">
            {hint}
          </span>
        )}
      </span>
      <span className="relative inline-grid shrink-0">
        <input
          id={id}
          type="checkbox"
          role="switch"
          aria-describedby={hint === undefined ? undefined : `${id}-hint`}
          onChange={(event) => onChange(event.target.checked)}
          className="peer h-6 w-10.5 appearance-none rounded-full bg-line-strong transition-colors duration-[120ms] checked:bg-accent disabled:opacity-60"
          {...rest}
        />
        <span
          aria-hidden
          className="pointer-events-none absolute start-0.75 top-0.75 size-4.5 rounded-full bg-raised transition-[inset-inline-start] duration-[120ms] peer-checked:start-5.25 peer-checked:bg-on-accent"
        />
      </span>
    </div>
  );
}

interface TickProps {
  readonly label: string;
  readonly hint?: string;
  readonly checked: boolean;
  readonly onChange: (on: boolean) => void;
}

/** One of several that may be chosen together. */
export function Tick({ label, hint, checked, onChange }: TickProps): ReactNode {
  const id = useId();
  return (
    <div className="flex items-start gap-2.5 py-1.5">
      <input
        id={id}
        type="checkbox"
        className="mt-0.5 size-4.5 shrink-0 accent-accent"
        checked={checked}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>
        <label htmlFor={id}>{label}</label>
        {hint !== undefined && (
          <span id={`${id}-hint`} className="block text-12 text-muted">
            {hint}
          </span>
        )}
      </span>
    </div>
  );
}
