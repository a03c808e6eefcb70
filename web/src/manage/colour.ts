/** The colour that stands for each of the twelve hues in the contract: as `hue-sign` is in the style sheet. */
export const colours = [
  0xc37c76, 0xbf825f, 0xb18b4f, 0x9a9551, 0x77a069, 0x58a484, 0x42a3a3, 0x4d9ebc, 0x6f94c9, 0x9189c6, 0xae7fb1, 0xbe7b95,
] as const;

/** The class of the hue that is nearest to a colour, 0xRRGGBB; empty for one without any, such as 0. */
export function hueOfColour(colour: number): string {
  const likeness = colours.map((one) => like(tint(colour), tint(one)));
  const best = Math.max(...likeness);
  return Number.isNaN(best) ? "" : `hue-${likeness.indexOf(best)}`;
}

/** A colour without its greyness: only its hue points somewhere. */
function tint(colour: number): readonly number[] {
  const parts = [16, 8, 0].map((shift) => (colour >> shift) & 255);
  const grey = parts.reduce((sum, one) => sum + one) / 3;
  return parts.map((one) => one - grey);
}

/** How much two point the same way, 1 at most. */
function like(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, one, at) => sum + one * (b[at] ?? 0), 0) / (Math.hypot(...a) * Math.hypot(...b));
}
