import { expect, test } from "vitest";

import { most, pressed, type Selection } from "@/rooms/selection";

const order = Array.from({ length: 150 }, (_, at) => `m${at}`);
const none: Selection = { ids: new Set(), from: "" };

function after(...presses: readonly (readonly [string, boolean])[]): Selection {
  return presses.reduce((now, [id, range]) => pressed(now, id, order, range), none);
}

test("a message that is pressed is taken, and let go when it is pressed again", () => {
  expect([...after(["m1", false], ["m3", false]).ids]).toEqual(["m1", "m3"]);
  expect([...after(["m1", false], ["m3", false], ["m1", false]).ids]).toEqual(["m3"]);
});

test("a range reaches from the one pressed before, in either direction", () => {
  expect([...after(["m2", false], ["m5", true]).ids]).toEqual(["m2", "m3", "m4", "m5"]);
  expect(after(["m5", false], ["m2", true]).ids).toEqual(new Set(["m2", "m3", "m4", "m5"]));
  expect(after(["m2", false], ["m4", true], ["m6", true]).ids.size).toBe(5);
});

test("a range from one that was let go lets everything between go", () => {
  expect([...after(["m1", false], ["m6", true], ["m2", false], ["m4", true]).ids]).toEqual(["m1", "m5", "m6"]);
});

test("a range from nowhere is the one message", () => {
  expect([...after(["m4", true]).ids]).toEqual(["m4"]);
  expect([...pressed({ ids: new Set(["gone"]), from: "gone" }, "m4", order, true).ids]).toEqual(["gone", "m4"]);
});

test("no more is taken than can be deleted at once, the nearest first", () => {
  const down = after(["m0", false], ["m149", true]).ids;
  expect(down.size).toBe(most);
  expect(down.has("m99")).toBe(true);
  expect(down.has("m100")).toBe(false);
  const up = after(["m149", false], ["m0", true]).ids;
  expect(up.size).toBe(most);
  expect(up.has("m50")).toBe(true);
  expect(up.has("m49")).toBe(false);
  expect(after(["m0", false], ["m149", true], ["m120", false]).ids.has("m120")).toBe(false);
});
