import { type ReactNode, useEffect, useMemo, useState } from "react";

import { Permission } from "@creavio/client/options/v1/permission";
import { useKnown } from "@/store/react";
import { Avatar, classes } from "@/ui/parts";

import type { Emoji } from "./emoji";
import { useSay } from "./texts";
import { useRights, useWhere } from "./where";
import { peopleIn } from "./written";

/** Something that what is being typed may become. */
export interface Suggestion {
  readonly key: string;
  readonly sign: ReactNode;
  readonly title: string;
  readonly hint: string;
  /** What is put in the place of what was typed. */
  readonly text: string;
}

/** What of a text is being completed: from a sign to where one types. */
export interface Typed {
  readonly sign: "@" | "#" | ":";
  readonly query: string;
  readonly from: number;
}

const most = 8;

/** What is being typed at a place of a text, if it may become something. */
export function typedAt(text: string, at: number): Typed | undefined {
  const found = /(?:^|[\s(])([@#:])([\p{L}\p{N}_.+-]*)$/u.exec(text.slice(0, at));
  const [, sign, query = ""] = found ?? [];
  if (sign === undefined || (sign === ":" && query.length < 2)) return undefined;
  return { sign: sign as Typed["sign"], query: query.toLowerCase(), from: at - query.length - 1 };
}

/** What somebody may mean, the likeliest first. */
export function useSuggestions(typed: Typed | undefined): readonly Suggestion[] {
  const say = useSay();
  const may = useRights();
  const { roomId, communityId } = useWhere();
  const state = useKnown((known) => (typed?.sign === "@" ? known : undefined));
  const roles = useKnown((state) => state.roles[communityId]);
  const channels = useKnown((state) => state.channels[communityId]);
  const emoji = useEmoji(typed?.sign === ":" ? typed.query : "");
  const mayEveryone = may(Permission.MENTION_EVERYONE);
  return useMemo(() => {
    if (typed === undefined) return [];
    const { sign, query } = typed;
    if (sign === ":") return emoji.map((one) => ({ key: one.name, sign: one.emoji, title: `:${one.name}:`, hint: "", text: one.emoji }));
    if (sign === "#") {
      return ranked(channels ?? [], query, (one) => [one.name]).map((one) => ({
        key: one.id,
        sign: "#",
        title: one.name,
        hint: "",
        text: `#${one.name}`,
      }));
    }
    const everyone = mayEveryone && "everyone".startsWith(query) ? [{ key: "everyone", sign: "@", title: "everyone", hint: say("complete.everyone"), text: "@everyone" }] : [];
    const named = ranked(state === undefined ? [] : peopleIn(state, roomId), query, (one) => [one.name, one.handle]).map((one) => ({
      key: one.id,
      sign: <Avatar id={one.id} size="s" />,
      title: one.name,
      hint: `@${one.handle}`,
      text: `@${one.handle}`,
    }));
    const grouped = ranked((roles ?? []).filter((one) => one.position > 0), query, (one) => [one.name]).map((one) => ({
      key: one.id,
      sign: "@",
      title: one.name,
      hint: "",
      text: `@${one.name}`,
    }));
    return [...named, ...grouped, ...everyone].slice(0, most);
  }, [typed?.sign, typed?.query, state, roles, channels, emoji, mayEveryone, roomId, say]);
}

/** Of many, those whose names begin with what was typed, then those that hold it. */
function ranked<T>(items: readonly T[], query: string, names: (item: T) => readonly string[]): readonly T[] {
  const rank = (item: T): number => {
    const lower = names(item).map((name) => name.toLowerCase());
    if (lower.some((name) => name.startsWith(query))) return 0;
    return lower.some((name) => name.includes(query)) ? 1 : 2;
  };
  return items
    .map((item) => [rank(item), item] as const)
    .filter(([at]) => at < 2)
    .sort(([a], [b]) => a - b)
    .slice(0, most)
    .map(([, item]) => item);
}

/** The emoji a few letters may mean; their list is loaded when the first are typed. */
function useEmoji(query: string): readonly Emoji[] {
  const [found, setFound] = useState<readonly Emoji[]>([]);
  useEffect(() => {
    if (query === "") {
      setFound([]);
      return;
    }
    let over = false;
    void import("./emoji").then(({ findEmoji }) => over || setFound(findEmoji(query, most)));
    return () => {
      over = true;
    };
  }, [query]);
  return found;
}

interface SuggestionsProps {
  readonly id: string;
  readonly suggestions: readonly Suggestion[];
  readonly current: number;
  readonly onPick: (suggestion: Suggestion) => void;
}

/** What one may mean, above where one writes. */
export function Suggestions({ id, suggestions, current, onPick }: SuggestionsProps): ReactNode {
  const say = useSay();
  return (
    <ul id={id} role="listbox" aria-label={say("complete.label")} className="absolute inset-x-0 bottom-full z-20 mb-1.5 grid gap-px rounded-card bg-overlay p-1.5 shadow-2">
      {suggestions.map((one, at) => (
        <li
          key={one.key}
          id={`${id}-${at}`}
          role="option"
          aria-selected={at === current}
          onPointerDown={(event) => {
            // The field keeps the focus.
            event.preventDefault();
            onPick(one);
          }}
          className={classes("flex min-h-9 items-center gap-2.5 rounded-control px-2.5 max-mid:min-h-11", at === current ? "bg-accent-soft" : "hover:bg-hover")}
        >
          <span aria-hidden className="grid size-6 shrink-0 place-items-center text-faint">
            {one.sign}
          </span>
          <span dir="auto" className="min-w-0 truncate font-medium">
            {one.title}
          </span>
          <bdi className={classes("min-w-0 truncate text-12", at === current ? "text-muted" : "text-faint")}>{one.hint}</bdi>
        </li>
      ))}
    </ul>
  );
}
