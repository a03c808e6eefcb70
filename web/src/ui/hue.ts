/** One of twelve hues, always the same for the same id. */
export function hueOf(id: string): string {
  let sum = 0;
  for (let at = 0; at < id.length; at += 1) sum = (sum * 31 + id.charCodeAt(at)) >>> 0;
  return `hue-${sum % 12}`;
}

/** The first letters of a name, as people see letters. */
export function lettersOf(name: string, count = 2): string {
  const words = name.trim().split(/\s+/u).filter((word) => word !== "");
  const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const first = (word: string): string => segments.segment(word)[Symbol.iterator]().next().value?.segment ?? "";
  return words.slice(0, count).map(first).join("").toLocaleUpperCase();
}
