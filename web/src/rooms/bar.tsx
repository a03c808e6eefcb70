import { ArrowLeft } from "lucide-react";
import type { ReactNode } from "react";

import { go, type Place } from "@/route";
import { IconButton } from "@/ui/parts";
import { useSay } from "./texts";

interface BarProps {
  /** Where the list is, on a phone. */
  readonly back: Place;
  readonly sign: ReactNode;
  readonly title: string;
  readonly topic?: string;
  readonly children?: ReactNode;
}

/** What a page is, and what else it offers. */
export function Bar({ back, sign, title, topic = "", children }: BarProps): ReactNode {
  const say = useSay();
  return (
    <header className="flex min-h-13.5 shrink-0 items-center gap-2 border-b border-line px-2 mid:px-5">
      <IconButton label={say("common.back")} className="mid:hidden" onClick={() => go(back)}>
        <ArrowLeft size={20} strokeWidth={1.75} aria-hidden className="rtl:-scale-x-100" />
      </IconButton>
      <h1 className="flex min-w-0 items-center gap-2 font-display text-17 font-bold tracking-[-0.012em]">
        <span className="shrink-0 text-muted">{sign}</span>
        <bdi className="truncate">{title}</bdi>
      </h1>
      {topic !== "" && (
        <p dir="auto" className="min-w-0 truncate border-s border-line ps-3 text-13 text-muted max-mid:hidden">
          {topic}
        </p>
      )}
      <span className="ms-auto flex shrink-0">{children}</span>
    </header>
  );
}
