import { House, type LucideIcon, X } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef } from "react";

import type { Pick } from "@/settings/picker";
import { useKnown } from "@/store/react";
import { IconButton } from "@/ui/parts";
import { Sign } from "@/ui/sign";

import { useExplaining } from "./explaining";
import { useManaging } from "./managing";
import { groups, wordsOf } from "./permissions";
import { useSay } from "./texts";

interface PanelProps {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly close: string;
  readonly children: ReactNode;
}

/** What is asked beside a page, and its answer; on a phone in its place. */
export function Panel({ icon: Icon, title, close, children }: PanelProps): ReactNode {
  const { ask } = useExplaining();
  const box = useRef<HTMLElement>(null);
  // What was pressed in the panel before this one is not there any more.
  useEffect(() => {
    if (document.activeElement === document.body) box.current?.focus();
  }, []);
  return (
    <aside
      ref={box}
      tabIndex={-1}
      aria-label={title}
      className="flex min-h-0 flex-col gap-3.5 overflow-y-auto px-4 py-3.5 max-mid:grow mid:my-3 mid:me-3 mid:w-88 mid:shrink-0 mid:self-start mid:max-h-[calc(100%-1.5rem)] mid:rounded-card mid:bg-surface wide:w-90 outline-none"
    >
      <header className="flex items-center gap-2.5">
        <span className="grid size-8 place-items-center rounded-control bg-accent-soft text-accent-text">
          <Icon size={18} strokeWidth={1.75} aria-hidden />
        </span>
        <h2 className="grow font-display text-17 font-bold tracking-[-0.012em]">{title}</h2>
        <IconButton label={close} onClick={() => ask(undefined)}>
          <X size={18} strokeWidth={1.75} aria-hidden />
        </IconButton>
      </header>
      {children}
    </aside>
  );
}

/** Where something can be asked: the place as a whole, and its channels. */
export function usePlacePicks(): readonly Pick[] {
  const say = useSay();
  const { communityId } = useManaging();
  const channels = useKnown((state) => state.channels[communityId]);
  return useMemo(
    () => [
      { value: "", title: say("explain.everywhere"), sign: <House size={14} strokeWidth={2} aria-hidden className="shrink-0 text-faint" /> },
      ...(channels ?? []).map((one) => ({ value: one.id, title: one.name, sign: <Sign channel={one} /> })),
    ],
    [channels, say],
  );
}

/** What can be asked for. */
export function usePermissionPicks(): readonly Pick[] {
  const say = useSay();
  return groups.flatMap((group) => group.permissions).map((one) => ({ value: String(one), title: say(wordsOf(one).title) }));
}
