import keywords from "emojilib/dist/emoji-en-US.json";
import groups from "unicode-emoji-json/data-by-group.json";

export interface Emoji {
  readonly emoji: string;
  /** By which it is written between colons. */
  readonly name: string;
  readonly words: readonly string[];
  readonly tones: boolean;
}

export interface EmojiGroup {
  readonly name: string;
  readonly emoji: readonly Emoji[];
}

const found: Readonly<Record<string, readonly string[] | undefined>> = keywords;

/** All emoji, by their groups. */
export const emojiGroups: readonly EmojiGroup[] = groups.map((group) => ({
  name: group.slug,
  emoji: group.emojis.map((one) => ({
    emoji: one.emoji,
    name: one.slug,
    words: [one.name, ...(found[one.emoji] ?? [])].map((word) => word.replaceAll("_", " ").toLowerCase()),
    tones: one.skin_tone_support,
  })),
}));

const all = emojiGroups.flatMap((group) => group.emoji);

/** The emoji that a few letters may mean: those called so first, then those whose names begin so. */
export function findEmoji(query: string, most: number): readonly Emoji[] {
  const wanted = query.trim().toLowerCase().replaceAll("_", " ");
  if (wanted === "") return [];
  const rank = ({ words: [name = "", ...others] }: Emoji): number => {
    if (name === wanted) return 0;
    if (others.includes(wanted)) return 1;
    if (name.startsWith(wanted)) return 2;
    if (others.some((word) => word.startsWith(wanted))) return 3;
    return name.includes(wanted) || others.some((word) => word.includes(wanted)) ? 4 : 5;
  };
  return all
    .map((one) => [rank(one), one] as const)
    .filter(([at]) => at < 5)
    .sort(([a], [b]) => a - b)
    .slice(0, most)
    .map(([, one]) => one);
}

const keptTone = "creavio.tone";
export const tones = ["", "🏻", "🏼", "🏽", "🏾", "🏿"] as const;

export function chosenTone(): string {
  return tones.find((one) => one === localStorage.getItem(keptTone)) ?? "";
}

export function chooseTone(tone: string): void {
  localStorage.setItem(keptTone, tone);
}

/** An emoji in a skin tone, where it has some. */
export function toned({ emoji, tones: has }: Emoji, tone: string): string {
  if (!has || tone === "") return emoji;
  const [first = "", ...rest] = [...emoji];
  // The tone stands after the first sign, in place of the one that asks for colour.
  return first + tone + rest.filter((one, at) => at > 0 || one !== "\ufe0f").join("");
}
