import type { Message } from "@creavio/client/chat/v1/message";
import type { MessagePreview } from "@creavio/client/chat/v1/message_service";
import type { Conversation } from "@creavio/client/chat/v1/conversation";
import type { ReadState } from "@creavio/client/chat/v1/read_state";
import type { Thread } from "@creavio/client/chat/v1/thread";
import type { Category } from "@creavio/client/community/v1/category";
import type { Channel } from "@creavio/client/community/v1/channel";
import type { Community } from "@creavio/client/community/v1/community";
import type { PresenceStatus } from "@creavio/client/gateway/v1/presence";
import type { Permission } from "@creavio/client/options/v1/permission";
import type { Role } from "@creavio/client/rbac/v1/role";
import type { User } from "@creavio/client/user/v1/user";

export type ById<T> = Readonly<Record<string, T>>;

/** A message on its way, or one that did not get there. */
export interface Outgoing {
  readonly nonce: string;
  readonly content: string;
  readonly replyToId: string;
  readonly time: number;
  /** Why it was refused; undefined while it may still arrive. */
  readonly refused?: string;
}

/** What is known of a channel's, a conversation's or a thread's messages: an unbroken run, oldest first. */
export interface Room {
  readonly messages: readonly Message[];
  /** Asks for what was said before the run; `end` when it begins the channel, empty when nothing was asked for. */
  readonly older: string;
  /** Asks for what was said after the run; empty when it reaches the present. */
  readonly newer: string;
  /** Whether the run lies around a place that was jumped to: its tokens are of that list. */
  readonly around: boolean;
  readonly outgoing: readonly Outgoing[];
  /** Up to where it had been read when it was opened: where "New" is drawn. */
  readonly newFrom: bigint | undefined;
  readonly gone: boolean;
  /** Up to where the run may be out of date, and is to be fetched again; undefined when it is not. */
  readonly staleTo: bigint | undefined;
}

export interface State {
  readonly phase: "starting" | "outside" | "inside";
  readonly me: User | undefined;
  /** Since when nothing is heard, in milliseconds; undefined while connected. */
  readonly lostSince: number | undefined;
  readonly communities: ById<Community>;
  /** By community, in their order. */
  readonly channels: ById<readonly Channel[]>;
  /** By community, in their order. */
  readonly categories: ById<readonly Category[]>;
  readonly conversations: ById<Conversation>;
  /** By community, who belongs to it, in the order of joining; where it was asked for. */
  readonly members: ById<readonly string[]>;
  readonly rooms: ById<Room>;
  readonly threads: ById<Thread>;
  /** By channel, and by community for it as a whole: what one may do there; where it was asked for. */
  readonly permissions: ById<ReadonlySet<Permission>>;
  /** By community, from the highest down; where it was asked for. */
  readonly roles: ById<readonly Role[]>;
  /** By channel: how many seconds lie between two messages of a person; where it was asked for. */
  readonly slow: ById<number>;
  /** By room and message, with a slash between: how messages that others point to begin. */
  readonly previews: ById<MessagePreview>;
  /** The messages one keeps; undefined until they were asked for. */
  readonly saved: ReadonlySet<string> | undefined;
  /** By room: what one began to write there on any device; undefined until it was asked for. */
  readonly drafts: ById<string> | undefined;
  readonly reads: ById<ReadState>;
  readonly users: ById<User>;
  /** Ids by which the platform knows nobody, any more. */
  readonly strangers: ReadonlySet<string>;
  readonly presences: ById<PresenceStatus>;
  /** By channel and person: until when they are taken to be writing. */
  readonly typing: ById<ById<number>>;
}

export const empty: State = {
  phase: "starting",
  me: undefined,
  lostSince: undefined,
  communities: {},
  channels: {},
  categories: {},
  conversations: {},
  members: {},
  rooms: {},
  threads: {},
  permissions: {},
  roles: {},
  slow: {},
  previews: {},
  saved: undefined,
  drafts: undefined,
  reads: {},
  users: {},
  strangers: new Set(),
  presences: {},
  typing: {},
};

export const emptyRoom: Room = {
  messages: [],
  older: "",
  newer: "",
  around: false,
  outgoing: [],
  newFrom: undefined,
  gone: false,
  staleTo: undefined,
};

/** By their positions, and among equal ones by id. */
export function inOrder<T extends { readonly position: number; readonly id: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1));
}

/** `record` without one entry. */
export function without<T>(record: ById<T>, id: string): ById<T> {
  const { [id]: _, ...rest } = record;
  return rest;
}
