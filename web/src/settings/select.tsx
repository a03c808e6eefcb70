import { type ReactNode, useId } from "react";

interface SelectProps<T extends string | number> {
  readonly label: string;
  readonly hint?: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly title: string }[];
  readonly disabled?: boolean;
  readonly onChange: (value: T) => void;
}

/** One of a few, in a line. */
export function Select<T extends string | number>({ label, hint, value, options, disabled = false, onChange }: SelectProps<T>): ReactNode {
  const id = useId();
  return (
    <div className="grid min-w-0 gap-1.5">
      <label htmlFor={id} className="text-13 font-medium">
        {label}
      </label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => {
          const picked = options[event.target.selectedIndex];
          if (picked !== undefined) onChange(picked.value);
        }}
        className="min-h-10 min-w-0 rounded-control bg-overlay px-3 text-15 shadow-[inset_0_0_0_1px_var(--line-strong)] focus:outline-2 focus:-outline-offset-1 focus:outline-focus"
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
