/** The colour that stands for each of the twelve hues in the contract: as `hue-sign` is in the style sheet. */
export const colours = [
  0xc37c76, 0xbf825f, 0xb18b4f, 0x9a9551, 0x77a069, 0x58a484, 0x42a3a3, 0x4d9ebc, 0x6f94c9, 0x9189c6, 0xae7fb1, 0xbe7b95,
] as const;

/** The class of the hue that is nearest to a colour, 0xRRGGBB; empty for none. */
export function hueOfColour(colour: number): string {
  if (colour === 0) return "";
  let best = 0;
  for (let at = 1; at < colours.length; at += 1) {
    if (distance(colour, colours[at] ?? 0) < distance(colour, colours[best] ?? 0)) best = at;
  }
  return `hue-${best}`;
}

function distance(a: number, b: number): number {
  return [16, 8, 0].reduce((sum, shift) => sum + (((a >> shift) & 255) - ((b >> shift) & 255)) ** 2, 0);
}
