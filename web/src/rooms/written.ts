import { nameOf } from "@/store/names";
import type { State } from "@/store/state";
import { store } from "@/store/store";

import { channelOf, linkTo, whereIs } from "./where";

/** What stands for a person, a role, a channel or a message in a text as the platform has it. */
const reference = /<(@&?|#)([a-z]+_[0-9a-z]{26})(?:\/(msg_[0-9a-z]{26}))?>/g;

/** A text of the platform as somebody would type it: with names for references. */
export function asTyped(content: string): string {
  const state = store.getState();
  return content.replaceAll(reference, (whole, sign: string, id: string, messageId: string | undefined) => {
    if (messageId !== undefined) {
      const where = whereIs(state, id);
      return where.communityId === "" && !id.startsWith("cnv_") ? whole : linkTo(where, messageId);
    }
    if (sign === "@") return state.users[id] === undefined ? whole : `@${state.users[id].handle}`;
    if (sign === "@&") {
      const role = Object.values(state.roles).flat().find((one) => one.id === id);
      return role === undefined ? whole : `@${role.name}`;
    }
    const channel = channelOf(state, id);
    return channel === undefined ? whole : `#${channel.name}`;
  });
}

/** A text as somebody typed it as the platform has it: with references for the names of who and what is there. */
export function asWritten(content: string, roomId: string): string {
  const state = store.getState();
  const names = namesIn(state, roomId);
  // What is shown as code is meant as it stands.
  return content
    .split(/(```[\s\S]*?(?:```|$)|`[^`\n]*`)/)
    .map((part, at) => (at % 2 === 1 ? part : referring(links(part), names)))
    .join("");
}

function links(text: string): string {
  const own = new RegExp(`${location.origin.replaceAll(/[.]/g, "\\.")}/(?:c/com_\\w{26}/|messages/)([a-z]+_\\w{26}(?:/thr_\\w{26})?)#(msg_\\w{26})`, "g");
  return text.replaceAll(own, (_, rooms: string, messageId: string) => `<#${rooms.split("/").at(-1)}/${messageId}>`);
}

/** By what is typed, what it refers to; the longest names are looked for first. */
function namesIn(state: State, roomId: string): readonly (readonly [string, string])[] {
  const { communityId } = whereIs(state, roomId);
  const people = Object.values(state.users).map((one) => [`@${one.handle}`, `<@${one.id}>`] as const);
  const roles = (state.roles[communityId] ?? []).map((one) => [`@${one.name}`, `<@&${one.id}>`] as const);
  const channels = (state.channels[communityId] ?? []).map((one) => [`#${one.name}`, `<#${one.id}>`] as const);
  return [...people, ...roles, ...channels].sort(([a], [b]) => b.length - a.length);
}

function referring(text: string, names: readonly (readonly [string, string])[]): string {
  if (!/[@#]/.test(text)) return text;
  let written = "";
  for (let at = 0; at < text.length; ) {
    const before = text[at - 1] ?? " ";
    const found = /[@#]/.test(text[at] ?? "") && !/[\w@#/<]/.test(before) ? names.find(([name]) => named(text, at, name)) : undefined;
    written += found?.[1] ?? text[at];
    at += found?.[0].length ?? 1;
  }
  return written;
}

function named(text: string, at: number, name: string): boolean {
  const there = text.slice(at, at + name.length);
  return there.toLowerCase() === name.toLowerCase() && !/[\p{L}\p{N}_]/u.test(text[at + name.length] ?? "");
}

/** Who can be mentioned in a room: those who are in it, as far as they are known. */
export function peopleIn(state: State, roomId: string): readonly { readonly id: string; readonly handle: string; readonly name: string }[] {
  const { communityId } = whereIs(state, roomId);
  const ids = communityId === "" ? (state.conversations[roomId]?.memberIds ?? []) : (state.members[communityId] ?? []);
  return ids.flatMap((id) => {
    const user = state.users[id];
    return user === undefined ? [] : [{ id, handle: user.handle, name: nameOf(user) }];
  });
}
