import { create } from "@bufbuild/protobuf";
import { type Message, type MessageThread, MessageThreadSchema, ReactionSchema } from "@creavio/client/chat/v1/message";
import type { Thread } from "@creavio/client/chat/v1/thread";
import { type ReadState, ReadStateSchema } from "@creavio/client/chat/v1/read_state";
import type { Channel } from "@creavio/client/community/v1/channel";
import type { Event } from "@creavio/client/gateway/v1/gateway_event";

import { inOrder, type Room, type State, without } from "./state";

/** How long somebody is taken to be writing after it was said, in milliseconds. */
const writes = 6000;

type Payload = Event["payload"];

/** What is known after an event. The same event told again changes nothing. */
export function applied(state: State, payload: Payload, now: number): State {
  switch (payload.case) {
    case "messageCreated":
      return payload.value.message === undefined ? state : created(state, payload.value.message);
    case "messageUpdated":
      return payload.value.message === undefined ? state : updated(state, payload.value.message);
    case "messageDeleted": {
      const { channelId, messageId } = payload.value;
      return inRoom(state, channelId, (room) => ({
        ...room,
        messages: room.messages.filter((one) => one.id !== messageId),
      }));
    }
    case "reactionAdded":
    case "reactionRemoved": {
      const { channelId, messageId, userId, emoji, count, revision } = payload.value;
      const mine = userId === state.me?.id;
      return inMessage(state, channelId, messageId, revision, (one) => ({
        ...one,
        reactions: counted(one, emoji, count, mine ? payload.case === "reactionAdded" : undefined),
      }));
    }
    case "pollUpdated": {
      const { channelId, messageId, poll, revision } = payload.value;
      if (poll === undefined) return state;
      return inMessage(state, channelId, messageId, revision, (one) => ({
        ...one,
        // What oneself chose is not told to everybody.
        poll: { ...poll, chosen: one.poll?.chosen ?? [] },
      }));
    }
    case "threadCreated":
    case "threadUpdated": {
      const { thread, revision } = payload.value;
      if (thread === undefined) return state;
      // Nor whether oneself follows it.
      const following = state.threads[thread.id]?.following ?? thread.creatorId === state.me?.id;
      const known = { ...state, threads: { ...state.threads, [thread.id]: { ...thread, following } } };
      return inMessage(known, thread.channelId, thread.messageId, revision, (one) => ({ ...one, thread: stub(thread) }));
    }
    case "threadDeleted": {
      const { threadId, channelId, messageId, revision } = payload.value;
      const known = { ...state, threads: without(state.threads, threadId), rooms: without(state.rooms, threadId) };
      return inMessage(known, channelId, messageId, revision, ({ thread: _, ...one }) => one);
    }
    case "threadFollowChanged": {
      const { threadId, following } = payload.value;
      const thread = state.threads[threadId];
      return thread === undefined ? state : { ...state, threads: { ...state.threads, [threadId]: { ...thread, following } } };
    }
    case "slowModeChanged": {
      const { channelId, seconds } = payload.value;
      return { ...state, slow: { ...state.slow, [channelId]: seconds } };
    }
    case "draftSaved": {
      const { channelId = "", content = "" } = payload.value.draft ?? {};
      return state.drafts === undefined ? state : { ...state, drafts: { ...state.drafts, [channelId]: content } };
    }
    case "draftDeleted":
      return state.drafts === undefined ? state : { ...state, drafts: without(state.drafts, payload.value.channelId) };
    case "bookmarkAdded":
      return keeping(state, payload.value.bookmark?.messageId ?? "", true);
    case "bookmarkRemoved":
      return keeping(state, payload.value.messageId, false);
    case "conversationMemberRemoved": {
      const { conversation, userId } = payload.value;
      if (conversation === undefined) return state;
      if (userId !== state.me?.id) return { ...state, conversations: { ...state.conversations, [conversation.id]: conversation } };
      return {
        ...state,
        conversations: without(state.conversations, conversation.id),
        rooms: without(state.rooms, conversation.id),
        reads: without(state.reads, conversation.id),
      };
    }
    case "accessChanged":
      return unsure(state, payload.value.communityId);
    case "memberRolesChanged":
      return payload.value.userId === state.me?.id ? unsure(state, payload.value.communityId) : state;
    case "roleCreated":
    case "roleUpdated":
      return withoutRoles(state, payload.value.role?.communityId ?? "");
    case "rolesReordered":
    case "roleDeleted":
      return withoutRoles(state, payload.value.communityId);
    case "communityCreated":
    case "communityUpdated": {
      const { community } = payload.value;
      if (community === undefined) return state;
      return { ...state, communities: { ...state.communities, [community.id]: community } };
    }
    case "channelCreated":
    case "channelUpdated": {
      const { channel } = payload.value;
      return channel === undefined ? state : withChannel(state, channel);
    }
    case "channelDeleted": {
      const { channelId, communityId } = payload.value;
      const left = (state.channels[communityId] ?? []).filter((one) => one.id !== channelId);
      return {
        ...state,
        channels: { ...state.channels, [communityId]: left },
        rooms: without(state.rooms, channelId),
        reads: without(state.reads, channelId),
      };
    }
    case "categoryCreated":
    case "categoryUpdated": {
      const { category } = payload.value;
      if (category === undefined) return state;
      const others = (state.categories[category.communityId] ?? []).filter((one) => one.id !== category.id);
      return { ...state, categories: { ...state.categories, [category.communityId]: inOrder([...others, category]) } };
    }
    case "categoryDeleted": {
      const { communityId, categoryId } = payload.value;
      const left = (state.categories[communityId] ?? []).filter((one) => one.id !== categoryId);
      return { ...state, categories: { ...state.categories, [communityId]: left } };
    }
    case "memberJoined": {
      const { communityId, userId } = payload.value.member ?? {};
      const known = state.members[communityId ?? ""];
      if (communityId === undefined || userId === undefined || known === undefined || known.includes(userId)) return state;
      return { ...state, members: { ...state.members, [communityId]: [...known, userId] } };
    }
    case "memberRemoved": {
      const { communityId, userId } = payload.value;
      if (userId === state.me?.id) return left(state, communityId);
      const known = state.members[communityId];
      if (known === undefined) return state;
      return { ...state, members: { ...state.members, [communityId]: known.filter((id) => id !== userId) } };
    }
    case "conversationCreated":
    case "conversationUpdated": {
      const { conversation } = payload.value;
      if (conversation === undefined) return state;
      return { ...state, conversations: { ...state.conversations, [conversation.id]: conversation } };
    }
    case "userUpdated": {
      const { user } = payload.value;
      if (user === undefined) return state;
      const users = { ...state.users, [user.id]: user };
      return { ...state, users, me: user.id === state.me?.id ? user : state.me };
    }
    case "profileChanged": {
      const { userId, handle, displayName, avatarId, deactivated } = payload.value;
      const user = state.users[userId];
      if (user === undefined) return state;
      return { ...state, users: { ...state.users, [userId]: { ...user, handle, displayName, avatarId, deactivated } } };
    }
    case "presence": {
      const { userId, status } = payload.value;
      return { ...state, presences: { ...state.presences, [userId]: status } };
    }
    case "typing": {
      const { channelId, userId } = payload.value;
      if (userId === state.me?.id) return state;
      const there = { ...state.typing[channelId], [userId]: now + writes };
      return { ...state, typing: { ...state.typing, [channelId]: there } };
    }
    case "readStateUpdated": {
      const { channelId, readSequence } = payload.value;
      return { ...state, reads: { ...state.reads, [channelId]: read(channelId, readSequence) } };
    }
    default:
      return state;
  }
}

/** What is known, but what one may do in a community and its channels: that is to be asked again. */
function unsure(state: State, communityId: string): State {
  const permissions = { ...without(state.permissions, communityId) };
  for (const channel of state.channels[communityId] ?? []) delete permissions[channel.id];
  return { ...state, permissions };
}

function withoutRoles(state: State, communityId: string): State {
  return { ...unsure(state, communityId), roles: without(state.roles, communityId) };
}

/** What is known without a community. */
export function left(state: State, communityId: string): State {
  const rooms = { ...state.rooms };
  for (const channel of state.channels[communityId] ?? []) delete rooms[channel.id];
  return {
    ...state,
    rooms,
    communities: without(state.communities, communityId),
    channels: without(state.channels, communityId),
    categories: without(state.categories, communityId),
    members: without(state.members, communityId),
    permissions: without(state.permissions, communityId),
  };
}

/** The channels of a community with this one among them, in their order. */
export function withChannel(state: State, channel: Channel): State {
  const others = (state.channels[channel.communityId] ?? []).filter((one) => one.id !== channel.id);
  const channels = inOrder([...others, channel]);
  return { ...state, channels: { ...state.channels, [channel.communityId]: channels } };
}

/** A run of messages and more of them: each once, the later revision, in their order. */
export function merged(known: readonly Message[], more: readonly Message[]): readonly Message[] {
  const all = new Map(known.map((one) => [one.id, one]));
  for (const one of more) {
    const there = all.get(one.id);
    if (there === undefined || there.revision <= one.revision) all.set(one.id, one);
  }
  return [...all.values()].sort((a, b) => Number(a.sequence - b.sequence));
}

function created(state: State, message: Message): State {
  const { channelId, authorId } = message;
  const mine = authorId === state.me?.id;
  const typing = { ...state.typing, [channelId]: without(state.typing[channelId] ?? {}, authorId) };
  const after = inRoom({ ...state, typing }, channelId, (room) => ({
    ...room,
    // Behind a run that does not reach the present there would be a gap.
    messages: room.newer === "" ? merged(room.messages, [message]) : room.messages,
    outgoing: mine ? room.outgoing.filter((one) => one.nonce !== message.nonce) : room.outgoing,
  }));
  return { ...after, reads: { ...after.reads, [channelId]: unread(state, message, mine) } };
}

function updated(state: State, message: Message): State {
  return inRoom(state, message.channelId, (room) => ({
    ...room,
    messages: room.messages.map((one) =>
      one.id !== message.id || one.revision >= message.revision
        ? one
        : // Whether oneself reacted is not told to everybody.
          { ...message, reactions: message.reactions.map((r) => ({ ...r, reacted: reacted(one, r.emoji) })) },
    ),
  }));
}

function unread(state: State, message: Message, mine: boolean): ReadState {
  const before = state.reads[message.channelId] ?? read(message.channelId, 0n);
  if (mine) return read(message.channelId, message.sequence);
  if (message.sequence <= before.readSequence) return before;
  const mentions = message.mentions?.everyone || message.mentions?.userIds.includes(state.me?.id ?? "");
  return {
    ...before,
    unreadCount: before.unreadCount + 1,
    mentionCount: before.mentionCount + (mentions === true ? 1 : 0),
  };
}

function read(channelId: string, readSequence: bigint): ReadState {
  return create(ReadStateSchema, { channelId, readSequence });
}

function reacted(message: Message, emoji: string): boolean {
  return message.reactions.some((one) => one.emoji === emoji && one.reacted);
}

function counted(message: Message, emoji: string, count: number, mine: boolean | undefined) {
  const there = message.reactions.find((one) => one.emoji === emoji);
  const next = create(ReactionSchema, { emoji, count, reacted: mine ?? there?.reacted ?? false });
  if (there === undefined) return count === 0 ? message.reactions : [...message.reactions, next];
  return message.reactions.map((one) => (one === there ? next : one)).filter((one) => one.count > 0);
}

/** Changes a message that is known as it was before a revision. */
function inMessage(state: State, roomId: string, id: string, revision: bigint, how: (one: Message) => Message): State {
  return inRoom(state, roomId, (room) => ({
    ...room,
    messages: room.messages.map((one) => (one.id !== id || one.revision >= revision ? one : { ...how(one), revision })),
  }));
}

function stub({ id, replyCount, lastReplyTime }: Thread): MessageThread {
  return create(MessageThreadSchema, { threadId: id, replyCount, ...(lastReplyTime === undefined ? {} : { lastReplyTime }) });
}

/** What is known with a message kept, or kept no more. */
export function keeping(state: State, messageId: string, kept: boolean): State {
  if (state.saved === undefined) return state;
  const saved = new Set(state.saved);
  if (kept) saved.add(messageId);
  else saved.delete(messageId);
  return { ...state, saved };
}

function inRoom(state: State, channelId: string, change: (room: Room) => Room): State {
  const room = state.rooms[channelId];
  return room === undefined ? state : { ...state, rooms: { ...state.rooms, [channelId]: change(room) } };
}
