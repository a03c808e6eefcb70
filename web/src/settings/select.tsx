import { ChevronDown } from "lucide-react";
import { type ReactNode, useId } from "react";

import { classes } from "@/ui/parts";

interface SelectProps<T extends string | number> {
  readonly label: string;
  readonly hint?: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly title: string }[];
  readonly disabled?: boolean;
  /** Whether the label is seen; it is always there. */
  readonly labelled?: boolean;
  readonly onChange: (value: T) => void;
}

/** One of a few, in a line. */
export function Select<T extends string | number>({ label, hint, value, options, disabled = false, labelled = true, onChange }: SelectProps<T>): ReactNode {
  const id = useId();
  return (
    <div className="grid min-w-0 gap-1.5">
      <label htmlFor={id} className={labelled ? "text-13 font-medium" : "sr-only"}>
        {label}
      </label>
      <span className="relative grid">
        <select
          id={id}
          value={value}
          disabled={disabled}
          aria-describedby={hint === undefined ? undefined : `${id}-hint`}
          onChange={(event) => {
            const picked = options[event.target.selectedIndex];
            if (picked !== undefined) onChange(picked.value);
          }}
          className={classes(
            "min-w-0 appearance-none truncate rounded-control bg-overlay ps-3 pe-9 shadow-[inset_0_0_0_1px_var(--line-strong)] focus:outline-2 focus:-outline-offset-1 focus:outline-focus disabled:opacity-60",
            labelled ? "min-h-10 text-15" : "min-h-9 text-13 max-mid:min-h-11",
          )}
        >
          {options.map((one) => (
            <option key={one.value} value={one.value}>
              {one.title}
            </option>
          ))}
        </select>
        <ChevronDown size={16} aria-hidden className="pointer-events-none absolute inset-y-0 end-3 my-auto text-faint" />
      </span>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="text-12 text-faint">
          {hint}
        </p>
      )}
    </div>
  );
}
