import { Permission } from "@creavio/client/options/v1/permission";

import type { Key } from "./en";

const { VIEW_COMMUNITY, VIEW_CHANNEL, SEND_MESSAGES, ADD_REACTIONS, MENTION_EVERYONE, PIN_MESSAGES, MANAGE_MESSAGES } = Permission;
const { MODERATE_MEMBERS, REMOVE_MEMBERS, BAN_MEMBERS, VIEW_AUDIT_LOG, CREATE_INVITES, MANAGE_CHANNELS, MANAGE_ROLES } = Permission;
const { MANAGE_COMMUNITY, MANAGE_EMOJI, MANAGE_EVENTS } = Permission;

/** What can be held in a community, in the order it is shown. */
export const groups: readonly { readonly title: Key; readonly permissions: readonly Permission[] }[] = [
  { title: "may.seeing", permissions: [VIEW_COMMUNITY, VIEW_CHANNEL] },
  { title: "may.talking", permissions: [SEND_MESSAGES, ADD_REACTIONS, MENTION_EVERYONE] },
  { title: "may.order", permissions: [PIN_MESSAGES, MANAGE_MESSAGES, MODERATE_MEMBERS, REMOVE_MEMBERS, BAN_MEMBERS, VIEW_AUDIT_LOG] },
  { title: "may.shape", permissions: [CREATE_INVITES, MANAGE_EVENTS, MANAGE_EMOJI, MANAGE_CHANNELS, MANAGE_ROLES, MANAGE_COMMUNITY] },
];

/** What can be decided otherwise in one channel; the platform holds the same. */
export const inChannels: ReadonlySet<Permission> = new Set([
  VIEW_CHANNEL,
  SEND_MESSAGES,
  ADD_REACTIONS,
  MENTION_EVERYONE,
  PIN_MESSAGES,
  MANAGE_MESSAGES,
]);

/** What a permission is called, and what it lets people do. */
export function wordsOf(permission: Permission): { readonly title: Key; readonly hint: Key } {
  const name = words[permission] ?? "view";
  return { title: `may.${name}`, hint: `may.${name}.hint` };
}

const words = {
  [Permission.UNSPECIFIED]: undefined,
  [Permission.ADMINISTRATE]: undefined,
  [VIEW_COMMUNITY]: "view",
  [VIEW_CHANNEL]: "read",
  [SEND_MESSAGES]: "write",
  [ADD_REACTIONS]: "react",
  [MENTION_EVERYONE]: "mention",
  [PIN_MESSAGES]: "pin",
  [MANAGE_MESSAGES]: "messages",
  [MODERATE_MEMBERS]: "timeout",
  [REMOVE_MEMBERS]: "remove",
  [BAN_MEMBERS]: "ban",
  [VIEW_AUDIT_LOG]: "audit",
  [CREATE_INVITES]: "invite",
  [MANAGE_EVENTS]: "events",
  [MANAGE_EMOJI]: "emoji",
  [MANAGE_CHANNELS]: "channels",
  [MANAGE_ROLES]: "roles",
  [MANAGE_COMMUNITY]: "community",
} as const satisfies Record<Permission, string | undefined>;
