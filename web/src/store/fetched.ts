import type { Message } from "@creavio/client/chat/v1/message";

import type { ById, Room } from "./state";

/** A list that was fetched, with what came and went meanwhile. */
export function since<T>(before: ById<T>, now: ById<T>, listed: ById<T>): ById<T> {
  const stays = Object.entries(listed).filter(([id]) => id in now || !(id in before));
  const came = Object.entries(now).filter(([id]) => !(id in before) && !(id in listed));
  return Object.fromEntries([...stays, ...came]);
}

/** A room of which something may have been missed; it is shown until it is fetched again. */
export function stale(room: Room): Room {
  return { ...room, staleTo: room.messages.at(-1)?.sequence ?? 0n, gone: false };
}

/** What of a room stands beside the page that was fetched: all of it, or what was heard since it was out of date. */
export function current({ messages, staleTo }: Room, page: readonly Message[]): readonly Message[] {
  if (staleTo === undefined) return messages;
  const fetched = new Set(page.map((one) => one.id));
  return messages.filter((one) => one.sequence > staleTo || fetched.has(one.id));
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function byChannel<T extends { readonly channelId: string }>(items: readonly T[]): Record<string, T> {
  return Object.fromEntries(items.map((one) => [one.channelId, one]));
}

export function byId<T extends { readonly id: string }>(items: readonly T[]): Record<string, T> {
  return Object.fromEntries(items.map((one) => [one.id, one]));
}
