import { type ReactNode, useId } from "react";

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
