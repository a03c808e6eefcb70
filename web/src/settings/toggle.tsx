import { type ReactNode, useId } from "react";

interface ToggleProps {
  readonly title: string;
  readonly hint?: ReactNode;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChange: (checked: boolean) => void;
}

/** Something that is on or off. */
export function Toggle({ title, hint, checked, disabled = false, onChange }: ToggleProps): ReactNode {
  const id = useId();
  return (
    <div className="flex min-h-11 items-center gap-4">
      <label htmlFor={id} className="grow">
        <span className="font-medium">{title}</span>
        {hint !== undefined && (
          <span id={`${id}-hint`} className="block text-12 text-faint">
            {hint}
          </span>
        )}
      </label>
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={checked}
        disabled={disabled}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.checked)}
        className="relative h-6 w-10.5 shrink-0 appearance-none rounded-full bg-sunken shadow-[inset_0_0_0_1px_var(--line-strong)] transition-colors duration-[120ms] before:absolute before:start-1 before:top-1 before:size-4 before:rounded-full before:bg-line-strong before:transition-[inset-inline-start] before:duration-[120ms] checked:bg-accent checked:shadow-none checked:before:start-5.5 checked:before:bg-on-accent disabled:opacity-50"
      />
    </div>
  );
}
