import { RotateCw } from "lucide-react";
import { type InputHTMLAttributes, type ReactNode, type TextareaHTMLAttributes, useEffect, useId, useState } from "react";

import { useSay as useCore } from "@/i18n";
import { Button, classes, Wrong } from "@/ui/parts";

import type { Asked } from "./asked";

/** What a page of settings holds, below its bar. */
export function SettingsBody({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <div className="min-h-0 grow overflow-y-auto">
      <div className="grid max-w-[48rem] content-start gap-9 p-4 pb-28 max-mid:[&_:is(button,select)]:min-h-11 mid:p-6 mid:pb-28">{children}</div>
    </div>
  );
}

interface SectionProps {
  readonly title: string;
  readonly lead?: ReactNode;
  /** What can be begun here, beside the title. */
  readonly action?: ReactNode;
  readonly children?: ReactNode;
}

/** A part of a page: what it is about, and what it holds. */
export function Section({ title, lead, action, children }: SectionProps): ReactNode {
  const id = useId();
  return (
    <section aria-labelledby={id} className="grid grid-cols-[minmax(0,1fr)] gap-3">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2">
        <div className="grid min-w-0 grow basis-60 gap-1">
          <h2 id={id} className="text-15 font-semibold">
            {title}
          </h2>
          {lead !== undefined && <p className="max-w-[36rem] text-13 text-muted">{lead}</p>}
        </div>
        {action}
      </div>
      {children}
    </section>
  );
}

interface LinesProps {
  readonly label: string;
  readonly children: ReactNode;
}

/** Things of one kind, each a line of its own. */
export function Lines({ label, children }: LinesProps): ReactNode {
  return (
    <ul aria-label={label} className="grid rounded-card bg-overlay shadow-1 *:border-b *:border-line *:last:border-b-0">
      {children}
    </ul>
  );
}

interface LineProps {
  readonly icon?: ReactNode;
  readonly title: ReactNode;
  /** What more there is to say of it. */
  readonly about?: ReactNode;
  /** What can be done with it. */
  readonly children?: ReactNode;
}

export function Line({ icon, title, about, children }: LineProps): ReactNode {
  return (
    <li className="flex flex-wrap items-center gap-x-3.5 gap-y-2 px-4 py-3">
      {icon !== undefined && <span className="shrink-0 text-muted">{icon}</span>}
      <div className="grid min-w-0 grow basis-40 gap-0.5">
        <p className="font-medium [overflow-wrap:anywhere]">{title}</p>
        {about !== undefined && <div className="text-12 text-muted [overflow-wrap:anywhere]">{about}</div>}
      </div>
      {children !== undefined && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </li>
  );
}

/** A word about a line that stands out. */
export function Badge({ look = "plain", children }: { readonly look?: "plain" | "good" | "warn"; readonly children: string }): ReactNode {
  const looks = { plain: "bg-accent-soft text-accent-text", good: "bg-positive-soft text-positive", warn: "bg-warning-soft text-warning" };
  return <span className={classes("inline-block rounded-small px-1.5 py-px text-12 font-medium whitespace-nowrap", looks[look])}>{children}</span>;
}

/** What stands where nothing is yet. */
export function Nothing({ children }: { readonly children: string }): ReactNode {
  return <p className="rounded-card bg-sunken px-4 py-3.5 text-13 text-muted">{children}</p>;
}

/** What the platform answers, once it does; what stands there meanwhile, and when it does not. */
export function Answer<T>({ of, children }: { readonly of: Asked<T>; readonly children: (value: T) => ReactNode }): ReactNode {
  const say = useCore();
  if (of.value !== undefined) return children(of.value);
  if (of.error === undefined) return <Soon />;
  return (
    <div className="flex flex-wrap items-center gap-3 rounded-card bg-danger-soft px-4 py-3">
      <span className="grow">
        <Wrong>{of.error}</Wrong>
      </span>
      <Button onClick={() => void of.again()}>
        <RotateCw size={16} aria-hidden /> {say("common.retry")}
      </Button>
    </div>
  );
}

function Soon(): ReactNode {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const waited = setTimeout(() => setLong(true), 200);
    return () => clearTimeout(waited);
  }, []);
  return (
    <div aria-busy className="grid h-16 content-center gap-2 rounded-card bg-sunken px-4">
      {long && (
        <>
          <span className="h-3 w-2/5 rounded-small bg-line" />
          <span className="h-3 w-3/5 rounded-small bg-line" />
        </>
      )}
    </div>
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

interface SelectProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly title: string }[];
  readonly onChange: (value: T) => void;
  readonly hint?: string;
}

/** One of several, in a line. */
export function Select<T extends string>({ label, value, options, onChange, hint }: SelectProps<T>): ReactNode {
  const id = useId();
  return (
    <div className="grid content-start gap-1.5">
      <label htmlFor={id} className="text-13 font-medium">
        {label}
      </label>
      <select
        id={id}
        value={value}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.value as T)}
        className="min-h-10 min-w-0 rounded-control bg-overlay px-3 text-14 shadow-[inset_0_0_0_1px_var(--line-strong)] focus:outline-2 focus:-outline-offset-1 focus:outline-focus"
      >
        {options.map((one) => (
          <option key={one.value} value={one.value}>
            {one.title}
          </option>
        ))}
      </select>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="text-12 text-faint">
          {hint}
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
