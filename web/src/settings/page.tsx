import { RotateCw } from "lucide-react";
import { type ReactNode, useEffect, useId, useState } from "react";

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
export function Nothing({ children }: { readonly children: ReactNode }): ReactNode {
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
