import { readFileSync } from "node:fs";
import path from "node:path";

import { converter, wcagContrast } from "culori";
import { describe, expect, test } from "vitest";

const css = readFileSync(path.join(import.meta.dirname, "../src/app/globals.css"), "utf8");

function tokens(selector: string): Record<string, string> {
  const body = css.split(`\n${selector} {`)[1]?.split("\n}")[0] ?? "";
  return Object.fromEntries([...body.matchAll(/--([\w-]+): ([^;]+);/g)].map(([, name = "", value = ""]) => [name, value]));
}

const light = tokens(":root");
const themes = { light, dark: { ...light, ...tokens('[data-theme="dark"]') } };
const hues = [...css.matchAll(/\.hue-\d+ \{ --hue: (\d+); \}/g)].map(([, hue]) => Number(hue));

const rgb = converter("rgb");

/** Whether a screen shows a colour as it is named: two steps of 255 beside it cannot be seen. */
function isShown(colour: string): boolean {
  const { r, g, b } = rgb(colour) ?? { r: NaN, g: NaN, b: NaN };
  return [r, g, b].every((part) => part >= -2 / 255 && part <= 257 / 255);
}

const planes = ["surface", "raised", "overlay", "sunken", "hover", "row-hover"];
const tints = ["positive-soft", "warning-soft", "danger-soft"];
/** What is written on what: text needs 4.5, signs and edges of controls 3 (WCAG 2.2, 1.4.3 and 1.4.11). */
const pairs: (readonly [string, string, number])[] = [
  ...["text", "muted", "faint"].flatMap((text) => ["ground", ...planes, "accent-soft", "mention-soft"].map((plane) => [text, plane, 4.5] as const)),
  ...["accent-text", "mention-text", "positive", "warning", "danger"].flatMap((text) => planes.map((plane) => [text, plane, 4.5] as const)),
  ...["text", "muted"].flatMap((text) => tints.map((tint) => [text, tint, 4.5] as const)),
  ...["positive", "warning", "danger", "accent", "mention"].map((name) => [name === "accent" || name === "mention" ? `${name}-text` : name, `${name}-soft`, 4.5] as const),
  ["accent-text", "mention-soft", 4.5],
  ["on-accent", "accent", 4.5],
  ["on-accent", "accent-hover", 4.5],
  ["on-mention", "mention", 4.5],
  ["on-danger", "danger-fill", 4.5],
  ...["presence-here", "presence-away", "presence-quiet", "presence-off", "line-strong", "focus"].flatMap((sign) =>
    ["surface", "raised", "overlay"].map((plane) => [sign, plane, 3] as const),
  ),
  ["focus", "ground", 3],
  ["accent", "raised", 3],
  ["accent", "surface", 3],
];

describe.each(Object.entries(themes))("in the %s theme", (_, theme) => {
  const colour = (name: string): string => theme[name] ?? "";

  test("every colour can be shown", () => {
    const shown = Object.entries(theme).filter(([, value]) => /^oklch\([\d. ]+\)$/.test(value));
    expect(shown.length).toBeGreaterThan(30);
    expect(shown.filter(([, value]) => !isShown(value))).toEqual([]);
  });

  test.each(pairs)("%s can be read on %s", (text, plane, least) => {
    expect(wcagContrast(colour(text), colour(plane))).toBeGreaterThanOrEqual(least);
  });

  test.each(hues)("what is written in hue %d can be read", (hue) => {
    const of = (name: string): string => `oklch(${theme[`hue-${name}-lc`]} ${hue})`;
    for (const plane of [of("soft"), ...["surface", "raised", "overlay"].map(colour)]) {
      expect(wcagContrast(of("ink"), plane)).toBeGreaterThanOrEqual(4.5);
    }
    for (const text of ["text", "muted"]) expect(wcagContrast(colour(text), of("soft"))).toBeGreaterThanOrEqual(4.5);
  });
});

test("there are twelve hues", () => expect(new Set(hues).size).toBe(12));
