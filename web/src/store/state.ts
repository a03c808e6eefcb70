import type { Message } from "@creavio/client/chat/v1/message";
import type { Conversation } from "@creavio/client/chat/v1/conversation";
import type { ReadState } from "@creavio/client/chat/v1/read_state";
import type { Channel } from "@creavio/client/community/v1/channel";
import type { Community } from "@creavio/client/community/v1/community";
import type { PresenceStatus } from "@creavio/client/gateway/v1/presence";
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

/** What is known of a channel's messages: an unbroken run, oldest first. */
export interface Room {
  readonly messages: readonly Message[];
  /** Where what was said before the run is asked for; empty when it begins the channel. */
  readonly older: string;
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
  readonly conversations: ById<Conversation>;
  /** By community, who belongs to it, in the order of joining; where it was asked for. */
  readonly members: ById<readonly string[]>;
  readonly rooms: ById<Room>;
  readonly reads: ById<ReadState>;
  readonly users: ById<User>;
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
  conversations: {},
  members: {},
  rooms: {},
  reads: {},
  users: {},
  presences: {},
  typing: {},
};

export const emptyRoom: Room = {
  messages: [],
  older: "",
  outgoing: [],
  newFrom: undefined,
  gone: false,
  staleTo: undefined,
};

/** `record` without one entry. */
export function without<T>(record: ById<T>, id: string): ById<T> {
  const { [id]: _, ...rest } = record;
  return rest;
}
