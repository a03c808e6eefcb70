/** Messages of a room that are to be dealt with together. */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** The one that was pressed last: from there a range reaches. */
  readonly from: string;
}

/** How many messages the platform deletes at once. */
export const most = 100;

/**
 * The selection after a message was pressed: that one is taken or let go, or with `range`
 * everything from the one pressed before is as that one is. `order` are the messages there
 * are; beyond the most no more is taken.
 */
export function pressed({ ids, from }: Selection, id: string, order: readonly string[], range: boolean): Selection {
  const start = range ? order.indexOf(from) : -1;
  const taken = start < 0 ? !ids.has(id) : ids.has(from);
  const end = order.indexOf(id);
  const between = start < 0 ? [id] : order.slice(Math.min(start, end), Math.max(start, end) + 1);
  const after = new Set(ids);
  // The nearest first: what is too much lies at the far end.
  for (const one of start > end ? between.toReversed() : between) {
    if (!taken) after.delete(one);
    else if (after.size < most) after.add(one);
  }
  return { ids: after, from: id };
}
