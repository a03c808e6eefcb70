import { ArrowLeft, type LucideIcon } from "lucide-react";
import { type ReactNode, useEffect } from "react";

import { go, type Place } from "@/route";
import { useNarrow } from "@/ui/narrow";
import { classes, IconButton } from "@/ui/parts";

import { useSay } from "./texts";

export interface SettingsPage {
  /** As its address says it. */
  readonly name: string;
  readonly title: string;
  readonly icon: LucideIcon;
}

export interface SettingsGroup {
  readonly title: string;
  readonly pages: readonly SettingsPage[];
}

interface SettingsFrameProps {
  /** What is set here, for who cannot see it. */
  readonly label: string;
  readonly groups: readonly SettingsGroup[];
  /** The page that is shown; none on a phone shows the list. */
  readonly current: string;
  readonly to: (page: string) => Place;
  readonly back: { readonly title: string; readonly place: Place };
  readonly children: ReactNode;
}

/** Settings: their pages at the side, and one of them. Escape leads back. */
export function SettingsFrame({ label, groups, current, to, back, children }: SettingsFrameProps): ReactNode {
  const narrow = useNarrow();
  const listed = !narrow || current === "";
  useEffect(() => {
    const left = (event: KeyboardEvent): void => {
      const inside = event.target instanceof HTMLElement && event.target.closest("dialog, [role=menu], [role=listbox], input, textarea, select");
      if (event.key === "Escape" && !event.defaultPrevented && inside === null) go(back.place);
    };
    addEventListener("keydown", left);
    return () => removeEventListener("keydown", left);
  }, [back.place]);
  const Side = narrow ? "main" : "div";
  return (
    <div className="flex h-dvh overflow-hidden bg-ground">
      {listed && (
        <Side className="min-h-0 shrink-0 overflow-y-auto px-3 py-3.5 max-mid:w-full mid:w-16 wide:w-58">
          {narrow && <h1 className="sr-only">{label}</h1>}
          <nav aria-label={label}>
            <Row icon={ArrowLeft} title={back.title} current={false} onClick={() => go(back.place)} flip keys="Esc" />
            {groups.map((group) => (
              <section key={group.title} aria-label={group.title}>
                <h2 className="px-2 pt-4.5 pb-1 text-12 font-medium text-muted mid:max-wide:sr-only">{group.title}</h2>
                <ul className="grid gap-px mid:max-wide:pt-3">
                  {group.pages.map((page) => (
                    <li key={page.name}>
                      <Row icon={page.icon} title={page.title} current={page.name === current} onClick={() => go(to(page.name))} />
                    </li>
                  ))}
                </ul>
              </section>
            ))}
          </nav>
        </Side>
      )}
      {narrow && current === "" ? null : (
        <main className="relative flex min-h-0 min-w-0 grow flex-col overflow-hidden bg-raised shadow-1 mid:my-2 mid:me-2 mid:rounded-card">
          {children}
        </main>
      )}
    </div>
  );
}

interface RowProps {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly current: boolean;
  readonly onClick: () => void;
  readonly flip?: boolean;
  readonly keys?: string;
}

function Row({ icon: Icon, title, current, onClick, flip = false, keys }: RowProps): ReactNode {
  return (
    <button
      type="button"
      title={title}
      aria-current={current ? "page" : undefined}
      onClick={onClick}
      className={classes(
        "flex min-h-8 w-full items-center gap-2.5 rounded-control px-2 text-start max-mid:min-h-11 mid:max-wide:min-h-10 mid:max-wide:justify-center",
        current ? "bg-raised font-medium shadow-1" : "text-muted hover:bg-hover hover:text-text",
      )}
    >
      <Icon size={16} aria-hidden className={classes("shrink-0", flip && "rtl:-scale-x-100")} />
      <span className="min-w-0 grow truncate mid:max-wide:sr-only">{title}</span>
      {keys !== undefined && (
        <kbd aria-hidden className="rounded-small px-1.5 text-11 shadow-[inset_0_0_0_1px_var(--line-strong)] max-wide:hidden">
          {keys}
        </kbd>
      )}
    </button>
  );
}

interface SettingsHeaderProps {
  readonly title: string;
  readonly lead?: string;
  /** Where the list of pages is, on a phone. */
  readonly list: Place;
  readonly children?: ReactNode;
}

/** The bar of a page: its title, and what can be begun there. */
export function SettingsHeader({ title, lead, list, children }: SettingsHeaderProps): ReactNode {
  const say = useSay();
  return (
    <header className="flex min-h-13.5 shrink-0 items-center gap-2 border-b border-line px-2 mid:px-5">
      <IconButton label={say("settings.toList")} className="mid:hidden" onClick={() => go(list)}>
        <ArrowLeft size={18} strokeWidth={1.75} aria-hidden className="rtl:-scale-x-100" />
      </IconButton>
      <h1 className="truncate font-display text-17 font-bold tracking-[-0.012em]">{title}</h1>
      {lead !== undefined && <p className="min-w-0 truncate border-s border-line ps-3 text-13 text-muted max-mid:hidden">{lead}</p>}
      <span className="ms-auto flex gap-2">{children}</span>
    </header>
  );
}
