import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { type Category, CategorySchema } from "@creavio/client/community/v1/category";
import { type Channel, ChannelSchema } from "@creavio/client/community/v1/channel";

import { droppedChannel, moveOf, shelvesOf, steppedChannel } from "@/manage/layout";
import { placed, stepped } from "@/settings/reorder";

const channels: Channel[] = [
  ["chn_a", ""],
  ["chn_b", ""],
  ["chn_c", "ctg_1"],
  ["chn_d", "ctg_gone"],
].map(([id = "", categoryId = ""]) => create(ChannelSchema, { id, categoryId }));
const categories: Category[] = ["ctg_1", "ctg_2"].map((id) => create(CategorySchema, { id }));
const shelves = shelvesOf(channels, categories);

function told(of: readonly { readonly categoryId: string; readonly channelIds: readonly string[] }[]): string[] {
  return of.map((one) => `${one.categoryId}:${one.channelIds.map((id) => id.slice(4)).join("")}`);
}

test("channels stand under their headings, those of one that is gone under none", () => {
  expect(told(shelves)).toEqual([":abd", "ctg_1:c", "ctg_2:"]);
});

test("a step past the end leads under the next heading, and back", () => {
  const down = steppedChannel(shelves, "chn_d", 1);
  expect(told(down)).toEqual([":ab", "ctg_1:dc", "ctg_2:"]);
  expect(moveOf(down, "chn_d")).toEqual({ categoryId: "ctg_1", afterChannelId: "" });
  expect(told(steppedChannel(down, "chn_d", -1))).toEqual([":abd", "ctg_1:c", "ctg_2:"]);
  expect(steppedChannel(shelves, "chn_a", -1)).toBe(shelves);
  expect(told(steppedChannel(steppedChannel(shelves, "chn_c", 1), "chn_c", 1))).toEqual([":abd", "ctg_1:", "ctg_2:c"]);
});

test("what is let go on a heading begins it, beside another it stands there", () => {
  expect(told(droppedChannel(shelves, "chn_a", { id: "ctg_2", after: false }))).toEqual([":bd", "ctg_1:c", "ctg_2:a"]);
  const beside = droppedChannel(shelves, "chn_a", { id: "chn_c", after: true });
  expect(told(beside)).toEqual([":bd", "ctg_1:ca", "ctg_2:"]);
  expect(moveOf(beside, "chn_a")).toEqual({ categoryId: "ctg_1", afterChannelId: "chn_c" });
  expect(droppedChannel(shelves, "chn_a", { id: "elsewhere", after: true })).toBe(shelves);
});

test("rows change places one by one and beside each other", () => {
  const ids = ["a", "b", "c"];
  expect(stepped(ids, "b", -1)).toEqual(["b", "a", "c"]);
  expect(stepped(ids, "c", 1)).toBe(ids);
  expect(stepped(ids, "z", 1)).toBe(ids);
  expect(placed(ids, "a", { id: "c", after: true })).toEqual(["b", "c", "a"]);
  expect(placed(ids, "a", { id: "z", after: true })).toEqual(ids);
});
