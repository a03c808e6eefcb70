import { Check, ChevronDown } from "lucide-react";
import { Popover } from "radix-ui";
import { type KeyboardEvent, type ReactNode, useId, useMemo, useState } from "react";

import { classes } from "@/ui/parts";

import { useSay } from "./texts";

export interface Pick {
  readonly value: string;
  readonly title: string;
  readonly hint?: string;
  readonly sign?: ReactNode;
}

interface PickerProps {
  /** What is chosen, for who cannot see it. */
  readonly label: string;
  /** What is chosen; nothing shows `placeholder`. */
  readonly value: string;
  readonly options: readonly Pick[];
  readonly placeholder?: ReactNode;
  readonly disabled?: boolean;
  readonly className?: string;
  readonly onPick: (value: string) => void;
}

const few = 8;
const most = 100;

/** One of many, found by typing. */
export function Picker({ label, value, options, placeholder, disabled = false, className, onPick }: PickerProps): ReactNode {
  const [open, setOpen] = useState(false);
  const chosen = options.find((one) => one.value === value);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger
        disabled={disabled}
        aria-label={chosen === undefined ? label : `${label}: ${chosen.title}`}
        className={classes(
          "inline-flex min-h-7.5 max-w-full items-center gap-1.5 rounded-[9px] bg-overlay px-2.25 text-13 font-medium shadow-[inset_0_0_0_1px_color-mix(in_oklch,var(--line-strong)_45%,transparent)] hover:bg-hover disabled:opacity-60 max-mid:min-h-10",
          className,
        )}
      >
        {chosen?.sign}
        <span dir="auto" className="min-w-0 truncate">
          {chosen?.title ?? placeholder ?? label}
        </span>
        <ChevronDown size={14} strokeWidth={2} aria-hidden className="ms-auto shrink-0 text-faint" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={4}
          collisionPadding={8}
          aria-label={label}
          className="z-50 w-72 max-w-[calc(100vw-1rem)] rounded-card bg-overlay p-1.5 shadow-2"
          onKeyDown={(event) => event.key === "Escape" && event.stopPropagation()}
        >
          <Options
            label={label}
            value={value}
            options={options}
            onPick={(picked) => {
              setOpen(false);
              onPick(picked);
            }}
          />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

interface OptionsProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly Pick[];
  readonly onPick: (value: string) => void;
}

function Options({ label, value, options, onPick }: OptionsProps): ReactNode {
  const say = useSay();
  const id = useId();
  const [typed, setTyped] = useState("");
  const found = useMemo(() => {
    const wanted = typed.trim().toLocaleLowerCase();
    return options.filter((one) => `${one.title} ${one.hint ?? ""}`.toLocaleLowerCase().includes(wanted)).slice(0, most);
  }, [options, typed]);
  const [at, setAt] = useState(() => Math.max(0, found.findIndex((one) => one.value === value)));
  const current = found[Math.min(at, found.length - 1)];
  const key = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, found.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Home") setAt(0);
    else if (event.key === "End") setAt(found.length - 1);
    else if (event.key === "Enter" && current !== undefined) onPick(current.value);
    else return;
    event.preventDefault();
    document.getElementById(`${id}-${event.key === "ArrowUp" ? at - 1 : at + 1}`)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <>
      <input
        role="combobox"
        aria-label={label}
        aria-expanded
        aria-controls={id}
        aria-activedescendant={current === undefined ? undefined : `${id}-${found.indexOf(current)}`}
        autoFocus
        value={typed}
        placeholder={say("settings.find")}
        onKeyDown={key}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        className={classes(
          "mb-1 min-h-9 w-full rounded-control bg-raised px-2.5 shadow-[inset_0_0_0_1px_var(--line-strong)] focus:outline-2 focus:-outline-offset-1 focus:outline-focus max-mid:min-h-11",
          options.length <= few && "sr-only",
        )}
      />
      <ul id={id} role="listbox" aria-label={label} className="max-h-72 overflow-y-auto">
        {found.map((one, index) => (
          // Chosen by the keys of the field above.
          <li
            key={one.value}
            id={`${id}-${index}`}
            role="option"
            aria-selected={one.value === value}
            onPointerMove={() => setAt(index)}
            onClick={() => onPick(one.value)}
            className={classes(
              "flex min-h-9 cursor-default items-center gap-2.5 rounded-control px-2.5 max-mid:min-h-11",
              one === current && "bg-hover",
            )}
          >
            {one.sign}
            <span className="min-w-0 grow">
              <span dir="auto" className="block truncate">
                {one.title}
              </span>
              {one.hint !== undefined && <span className="block truncate text-12 text-muted">{one.hint}</span>}
            </span>
            {one.value === value && <Check size={16} aria-hidden className="shrink-0 text-accent-text" />}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="px-2.5 py-2 text-13 text-muted">{say("settings.nothing", { what: typed })}</p>}
    </>
  );
}
