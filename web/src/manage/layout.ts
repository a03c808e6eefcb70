import type { Category } from "@creavio/client/community/v1/category";
import type { Channel } from "@creavio/client/community/v1/channel";
import { type Drop, placed, stepped } from "@/settings/reorder";

/** A heading with what is listed under it; the first has no heading. */
export interface Shelf {
  /** Empty for what is in no category. */
  readonly categoryId: string;
  readonly channelIds: readonly string[];
}

/** Where a channel goes: behind which other, empty for the beginning. */
export interface Move {
  readonly categoryId: string;
  readonly afterChannelId: string;
}

/** Channels under their categories, in their order. */
export function shelvesOf(channels: readonly Channel[], categories: readonly Category[]): Shelf[] {
  const there = new Set(categories.map((one) => one.id));
  const under = (id: string): string[] =>
    channels.filter((one) => (there.has(one.categoryId) ? one.categoryId : "") === id).map((one) => one.id);
  return ["", ...there].map((categoryId) => ({ categoryId, channelIds: under(categoryId) }));
}

/** The shelves with a channel one place further, across a heading where it stands at the end. */
export function steppedChannel(shelves: readonly Shelf[], id: string, by: -1 | 1): readonly Shelf[] {
  const at = shelves.findIndex((one) => one.channelIds.includes(id));
  const shelf = shelves[at];
  if (shelf === undefined) return shelves;
  const within = stepped(shelf.channelIds, id, by);
  if (within !== shelf.channelIds) return shelves.with(at, { ...shelf, channelIds: within });
  const next = shelves[at + by];
  if (next === undefined) return shelves;
  return shelves
    .with(at, { ...shelf, channelIds: shelf.channelIds.filter((one) => one !== id) })
    .with(at + by, { ...next, channelIds: by === 1 ? [id, ...next.channelIds] : [...next.channelIds, id] });
}

/** The shelves with a channel put beside another, or at the beginning of a category it is let go on. */
export function droppedChannel(shelves: readonly Shelf[], id: string, to: Drop): readonly Shelf[] {
  if (!shelves.some((one) => one.categoryId === to.id || one.channelIds.includes(to.id))) return shelves;
  return shelves.map((shelf) => {
    const others = shelf.channelIds.filter((one) => one !== id);
    if (shelf.categoryId === to.id) return { ...shelf, channelIds: [id, ...others] };
    if (!others.includes(to.id)) return { ...shelf, channelIds: others };
    return { ...shelf, channelIds: placed([...others, id], id, to) };
  });
}

/** Where a channel stands. */
export function moveOf(shelves: readonly Shelf[], id: string): Move {
  const shelf = shelves.find((one) => one.channelIds.includes(id));
  return { categoryId: shelf?.categoryId ?? "", afterChannelId: shelf?.channelIds[shelf.channelIds.indexOf(id) - 1] ?? "" };
}
