import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from "react";
import { VList } from "virtua";

import { classes } from "@/ui/parts";

import { chooseTone, chosenTone, type Emoji, emojiGroups, findEmoji, toned, tones } from "./emoji";
import { picked, pickedLately } from "./emoji-lately";
import type { Key } from "./en";
import { useSay } from "./texts";

const columns = 8;
const mostFound = 64;

type Line = { readonly title: string } | { readonly emoji: readonly Emoji[] };

/** All emoji: found by a word, or by their groups. Arrows move, Enter picks. */
export function EmojiPicker({ onPick }: { readonly onPick: (emoji: string) => void }): ReactNode {
  const say = useSay();
  const [query, setQuery] = useState("");
  const [tone, setTone] = useState(chosenTone);
  const box = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => linesOf(query, (name) => say(`emoji.${name}` as Key)), [query, say]);
  const pick = (one: Emoji): void => {
    const emoji = toned(one, tone);
    picked(emoji);
    onPick(emoji);
  };
  const moved = (event: KeyboardEvent): void => {
    const buttons = [...(box.current?.querySelectorAll<HTMLButtonElement>("[data-emoji]") ?? [])];
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const along = document.documentElement.dir === "rtl" ? -1 : 1;
    const steps: Readonly<Record<string, number>> = { ArrowRight: along, ArrowLeft: -along, ArrowDown: columns, ArrowUp: -columns };
    const step = steps[event.key];
    if (step === undefined || (at === -1 && event.key !== "ArrowDown")) return;
    event.preventDefault();
    if (at === -1) buttons[0]?.focus();
    else buttons[Math.max(0, Math.min(buttons.length - 1, at + step))]?.focus();
  };
  return (
    <div ref={box} onKeyDown={moved} className="flex h-full flex-col">
      <div className="flex items-center gap-2 border-b border-line p-2">
        <input
          type="search"
          autoFocus
          value={query}
          aria-label={say("emoji.search")}
          placeholder={say("emoji.search")}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            const first = lines.find((line) => "emoji" in line);
            if (event.key === "Enter" && query !== "" && first?.emoji[0] !== undefined) pick(first.emoji[0]);
          }}
          className="min-h-9 min-w-0 grow rounded-control bg-sunken px-3 text-14 focus:outline-2 focus:-outline-offset-1 focus:outline-focus"
        />
        <select
          aria-label={say("emoji.tone")}
          value={tone}
          onChange={(event) => {
            chooseTone(event.target.value);
            setTone(event.target.value);
          }}
          className="min-h-9 rounded-control bg-sunken px-1.5"
        >
          {tones.map((one) => (
            <option key={one} value={one}>
              {`✋${one}`}
            </option>
          ))}
        </select>
      </div>
      {lines.length === 0 ? (
        <p className="p-4 text-13 text-muted">{say("emoji.none", { query })}</p>
      ) : (
        <VList className="min-h-0 grow px-2 pb-2">
          {lines.map((line, at) =>
            "title" in line ? (
              <h3 key={at} className="px-1.5 pt-2.5 pb-1 text-12 font-medium text-faint">
                {line.title}
              </h3>
            ) : (
              <div key={at} className="grid grid-cols-8">
                {line.emoji.map((one) => (
                  <button
                    key={one.emoji}
                    type="button"
                    data-emoji
                    title={`:${one.name}:`}
                    aria-label={one.name.replaceAll("_", " ")}
                    onClick={() => pick(one)}
                    className={classes("grid h-9.5 place-items-center rounded-[8px] text-20 hover:bg-hover focus-visible:-outline-offset-2")}
                  >
                    <span aria-hidden>{toned(one, tone)}</span>
                  </button>
                ))}
              </div>
            ),
          )}
        </VList>
      )}
    </div>
  );
}

function linesOf(query: string, title: (group: string) => string): readonly Line[] {
  if (query.trim() !== "") return rowsOf(findEmoji(query, mostFound));
  const recent = pickedLately().map((emoji) => ({ emoji, name: emoji, words: [], tones: false }));
  return [
    ...(recent.length === 0 ? [] : [{ title: title("recent") }, ...rowsOf(recent)]),
    ...emojiGroups.flatMap((group) => [{ title: title(group.name) }, ...rowsOf(group.emoji)]),
  ];
}

function rowsOf(emoji: readonly Emoji[]): readonly Line[] {
  const rows: Line[] = [];
  for (let at = 0; at < emoji.length; at += columns) rows.push({ emoji: emoji.slice(at, at + columns) });
  return rows;
}
