import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { CallError, pages } from "@creavio/client";
import type { Message } from "@creavio/client/chat/v1/message";
import type { ListMessagesResponse } from "@creavio/client/chat/v1/message_service";
import type { Community } from "@creavio/client/community/v1/community";
import { PolicyService } from "@creavio/client/rbac/v1/policy_service";

import type { Api } from "@/api/client";

import { tell } from "@/stream/heard";

import { applied, left, merged, withChannel } from "./events";
import { byChannel, byId, collected, current, since, stale } from "./fetched";
import { lasting } from "./lasting";
import { emptyRoom, inOrder, type Outgoing, type Room, type State } from "./state";
import { change, store } from "./store";

/** Something the stream tells. */
export type Payload = Parameters<typeof applied>[1];

/** What is looked at, as far as the address tells; empty for what it does not. */
export interface Looked {
  readonly communityId: string;
  /** Of which the latest messages are shown. */
  readonly roomId: string;
}

const nowhere: Looked = { communityId: "", roomId: "" };
const batch = 100;
const pageSize = 50;
const pointer = /<#((?:chn|cnv|thr)_[0-9a-z]{26}\/msg_[0-9a-z]{26})>/g;
const mostPreviews = 20;
const latest = 2n ** 63n - 1n;

/** Everything a person does in the app; what is known changes with it. */
export class Actions {
  /** Names that were asked for and did not arrive yet. */
  readonly #asked = new Set<string>();
  readonly #sending = new Map<string, Promise<void>>();
  /** By channel: up to where it is to be said that it is read. */
  readonly #toRead = new Map<string, bigint>();
  /** How often everything was fetched anew. */
  #fetches = 0;
  /** The latest page of a room that was asked for before the room is shown. */
  #ahead: { readonly roomId: string; readonly fetch: number; readonly page: Promise<ListMessagesResponse> } | undefined;

  constructor(
    readonly api: Api,
    private readonly now: () => number = Date.now,
  ) {}

  /** Whether it is for who is inside now: what was on its way for somebody else is nobody's to be shown. */
  current = true;

  /** Changes what is known, as long as it is for who is inside. */
  change(how: (state: State) => State): void {
    if (this.current) change(how);
  }

  /** Fetches who one is and what is shown first. */
  async enterAll(looked: Looked = nowhere): Promise<void> {
    const me = store.getState().me ?? (await lasting(() => this.api.users.getMe({})));
    this.change((state) => ({ ...state, me, users: { ...state.users, [me.id]: me } }));
    await this.refetch(looked);
  }

  /**
   * Fetches what is shown first: places, conversations, what is unread. What is looked at is
   * asked for at once, and not when it was learnt that one belongs there.
   */
  async refetch({ communityId, roomId }: Looked = nowhere): Promise<void> {
    // What was asked for before may have missed something, what is asked for from now on has not.
    this.#fetches += 1;
    this.change((state) => ({
      ...state,
      rooms: Object.fromEntries(Object.entries(state.rooms).map(([id, room]) => [id, stale(room)])),
    }));
    if (roomId !== "") this.#askAhead(roomId);
    await lasting(() => this.#list(communityId));
  }

  /** Fetches all places, and at once what the lists show of the one that is looked at. */
  async #list(communityId: string): Promise<void> {
    const before = store.getState();
    const seen = communityId === "" ? undefined : this.#look(communityId);
    // It may be a place one was told of, and does not belong to.
    seen?.catch(() => {});
    const [communities, conversations] = await Promise.all([
      collected(pages(this.api.communities.listCommunities, {}, (page) => page.communities)),
      collected(pages(this.api.conversations.listConversations, {}, (page) => page.conversations)),
    ]);
    this.change((state) => ({
      ...state,
      communities: since(before.communities, state.communities, byId(communities)),
      conversations: since(before.conversations, state.conversations, byId(conversations)),
      members: {},
      permissions: Object.fromEntries(Object.entries(state.permissions).filter(([id]) => !(id in before.communities))),
    }));
    tell({ case: "refetch", value: {} as never });
    this.know(conversations.flatMap((one) => one.memberIds));
    const [read] = await Promise.all([
      collected(pages(this.api.readStates.listConversationReadStates, {}, (page) => page.readStates)),
      ...communities.map(({ id }) => (id === communityId && seen !== undefined ? seen.catch(() => this.#look(id)) : this.#look(id))),
    ]);
    this.change((state) => ({ ...state, reads: { ...state.reads, ...byChannel(read) } }));
  }

  /** Takes what the stream tells. */
  heard(payload: Payload): void {
    tell(payload);
    this.change((state) => applied(state, payload, this.now()));
    if (payload.case === "messageCreated" && payload.value.message !== undefined) {
      this.know([payload.value.message.authorId]);
    } else if (payload.case === "communityCreated" && payload.value.community !== undefined) {
      void this.#look(payload.value.community.id);
    } else if (payload.case === "accessChanged") {
      void this.#access(payload.value.communityId);
    } else if (payload.case === "conversationCreated") {
      this.know(payload.value.conversation?.memberIds ?? []);
    } else if (payload.case === "memberJoined") {
      this.know([payload.value.member?.userId ?? ""]);
    } else if (payload.case === "typing") {
      this.know([payload.value.userId]);
    }
  }

  /** Fetches whom these ids stand for, where that is not known. */
  know(ids: readonly string[]): void {
    const { users } = store.getState();
    const unknown = [...new Set(ids)].filter((id) => id !== "" && !(id in users) && !this.#asked.has(id));
    for (const id of unknown) this.#asked.add(id);
    for (let at = 0; at < unknown.length; at += batch) {
      const userIds = unknown.slice(at, at + batch);
      this.api.users
        .batchGetUsers({ userIds })
        .then(({ users: found }) => {
          const known = byId(found);
          const strangers = userIds.filter((id) => !(id in known));
          this.change((state) => ({ ...state, users: { ...state.users, ...known }, strangers: new Set([...state.strangers, ...strangers]) }));
        })
        .catch(() => userIds.forEach((id) => this.#asked.delete(id)));
    }
  }

  /** Fetches how the messages begin that a text points to, where that was not asked for. */
  preview(content: string): void {
    const names = [...content.matchAll(pointer)].map(([, name = ""]) => name);
    const references = [...new Set(names)].filter((name) => !this.#asked.has(name)).slice(0, mostPreviews);
    if (references.length === 0) return;
    for (const name of references) this.#asked.add(name);
    this.api.messages
      .listMessagePreviews({ references })
      .then(({ previews }) => {
        const known = Object.fromEntries(previews.map((one) => [`${one.channelId}/${one.messageId}`, one]));
        this.change((state) => ({ ...state, previews: { ...state.previews, ...known } }));
        this.know(previews.map((one) => one.authorId));
      })
      .catch(() => references.forEach((name) => this.#asked.delete(name)));
  }

  async found(name: string, template = ""): Promise<Community> {
    return this.#stepIn(await this.api.communities.createCommunity({ name, template }));
  }

  async accept(code: string): Promise<Community> {
    return this.#stepIn(await this.api.invites.acceptInvite({ code }));
  }

  async join(communityId: string): Promise<Community> {
    return this.#stepIn(await this.api.communities.joinCommunity({ communityId }));
  }

  async leave(communityId: string): Promise<void> {
    await this.api.members.leaveCommunity({ communityId });
    this.change((state) => left(state, communityId));
  }

  /** Fetches who belongs to a community, unless that is known; events keep it so. */
  async people(communityId: string): Promise<void> {
    if (communityId in store.getState().members) return;
    const members = await collected(
      pages(this.api.members.listMembers, { communityId, pageSize: batch }, (page) => page.members),
    );
    const ids = members.map((one) => one.userId);
    this.change((state) => ({ ...state, members: { ...state.members, [communityId]: ids } }));
    this.know(ids);
  }

  async openChannel(communityId: string, name: string, secret: boolean): Promise<string> {
    const channel = await this.api.channels.createChannel({ communityId, name, private: secret });
    this.change((state) => withChannel(state, channel));
    return channel.id;
  }

  async invite(communityId: string): Promise<string> {
    return (await this.api.invites.createInvite({ communityId })).code;
  }

  /** Opens the conversation with somebody, or the one there is. */
  async writeTo(userId: string): Promise<string> {
    const conversation = await this.api.conversations.createConversation({ userIds: [userId] });
    this.change((state) => ({
      ...state,
      conversations: { ...state.conversations, [conversation.id]: conversation },
    }));
    this.know(conversation.memberIds);
    return conversation.id;
  }

  /** Fetches the latest messages of a channel, unless some are known. */
  async enter(channelId: string): Promise<void> {
    const known = store.getState().rooms[channelId];
    if (known !== undefined && known.staleTo === undefined && known.older !== "") return;
    await this.#entered(channelId, () => this.#page(channelId, ""));
  }

  /** Fetches the latest messages where what is shown lies before them. */
  async toPresent(channelId: string): Promise<void> {
    const room = store.getState().rooms[channelId];
    if (room?.newer !== "") await this.#entered(channelId, () => this.#page(channelId, ""));
  }

  /** Fetches what stands around a message, unless it is known, or around a moment. */
  async jump(channelId: string, to: { readonly messageId: string } | { readonly time: Date }): Promise<void> {
    const known = store.getState().rooms[channelId];
    const there = "messageId" in to && known?.messages.some((one) => one.id === to.messageId) === true;
    if (there && known.staleTo === undefined) return;
    const where = "messageId" in to ? to : { time: timestampFromDate(to.time) };
    await this.#entered(channelId, () => this.#around(channelId, where));
  }

  /** Fetches what was said before what is known. */
  async older(channelId: string): Promise<void> {
    const { older = "", around, staleTo } = store.getState().rooms[channelId] ?? {};
    if (older === "" || older === "end" || staleTo !== undefined) return;
    await this.#once(`older ${channelId} ${older}`, () =>
      around === true ? this.#around(channelId, { pageToken: older }) : this.#page(channelId, older),
    );
  }

  /** Fetches what was said after what is known. */
  async newer(channelId: string): Promise<void> {
    const { newer = "", staleTo } = store.getState().rooms[channelId] ?? {};
    if (newer === "" || staleTo !== undefined) return;
    await this.#once(`newer ${channelId} ${newer}`, () => this.#around(channelId, { pageToken: newer }));
  }

  /** Asks what one may do in a channel, or without one in a community as a whole. */
  async rights(communityId: string, channelId: string): Promise<void> {
    if (communityId === "") return;
    const { permissions } = await this.api.client.service(PolicyService).listPermissions({ communityId, channelId });
    this.change((state) => ({ ...state, permissions: { ...state.permissions, [channelId === "" ? communityId : channelId]: new Set(permissions) } }));
  }

  /** Sends a message; it is shown at once, and sent until it is there or refused. */
  send(channelId: string, content: string, replyToId = ""): void {
    void this.toPresent(channelId).catch(() => {});
    const one: Outgoing = { nonce: crypto.randomUUID(), content, replyToId, time: this.now() };
    this.#room(channelId, (room) => ({ ...room, outgoing: [...room.outgoing, one] }));
    this.#queue(channelId, one);
  }

  /** Sends one that was refused again. */
  again(channelId: string, nonce: string): void {
    const one = store.getState().rooms[channelId]?.outgoing.find((other) => other.nonce === nonce);
    if (one === undefined) return;
    const { refused: _, ...fresh } = one;
    this.#outgoing(channelId, nonce, () => fresh);
    this.#queue(channelId, fresh);
  }

  /** Gives up one that was refused. */
  giveUp(channelId: string, nonce: string): void {
    this.#outgoing(channelId, nonce, () => undefined);
  }

  async edit(channelId: string, messageId: string, content: string): Promise<void> {
    const message = await this.api.messages.updateMessage({ channelId, messageId, content });
    this.heard({ case: "messageUpdated", value: { message } as never });
  }

  async remove(channelId: string, messageId: string): Promise<void> {
    await this.api.messages.deleteMessage({ channelId, messageId });
    this.#room(channelId, (room) => ({
      ...room,
      messages: room.messages.filter((one) => one.id !== messageId),
    }));
  }

  async react(message: Message, emoji: string): Promise<void> {
    const { channelId, id: messageId } = message;
    const reacted = message.reactions.some((one) => one.emoji === emoji && one.reacted);
    const changed = reacted
      ? await this.api.reactions.removeReaction({ channelId, messageId, emoji })
      : await this.api.reactions.addReaction({ channelId, messageId, emoji });
    this.#room(channelId, (room) => ({ ...room, messages: merged(room.messages, [changed]) }));
  }

  /** Says that everything shown of a channel is read. */
  async read(channelId: string): Promise<void> {
    const { rooms, reads } = store.getState();
    const { messages = [], older = "" } = rooms[channelId] ?? {};
    // Before its page is there, nobody knows what was new.
    if (older === "") return;
    const last = messages.at(-1)?.sequence ?? 0n;
    const known = reads[channelId];
    if (last === 0n || (known !== undefined && known.readSequence >= last && known.unreadCount === 0)) return;
    this.#toRead.set(channelId, last);
    // Where much is said, what came while one call was answered is told by the next.
    await this.#once(`read ${channelId}`, async () => {
      for (let to = this.#toRead.get(channelId); to !== undefined; to = this.#toRead.get(channelId)) {
        this.#toRead.delete(channelId);
        const state = await this.api.readStates.markRead({ channelId, sequence: to });
        this.change((now) => ({ ...now, reads: { ...now.reads, [channelId]: state } }));
      }
    });
  }

  async #stepIn(community: Community): Promise<Community> {
    this.change((state) => ({ ...state, communities: { ...state.communities, [community.id]: community } }));
    await this.#look(community.id);
    return community;
  }

  /** Fetches what the lists show of a community. */
  async #look(communityId: string): Promise<void> {
    const { readStates } = this.api;
    const [channels, categories, presences, ...reads] = await Promise.all([
      collected(pages(this.api.channels.listChannels, { communityId }, (page) => page.channels)),
      this.api.categories.listCategories({ communityId }),
      this.api.gateway.listPresences({ communityId }),
      collected(pages(readStates.listReadStates, { communityId }, (page) => page.readStates)),
      collected(pages(readStates.listThreadReadStates, { communityId }, (page) => page.readStates)),
    ]);
    // All at once: a change is a picture of the whole app.
    this.change((state) => ({
      ...state,
      reads: { ...state.reads, ...byChannel(reads.flat()) },
      channels: { ...state.channels, [communityId]: inOrder(channels) },
      categories: { ...state.categories, [communityId]: inOrder(categories.categories) },
      presences: {
        ...state.presences,
        ...Object.fromEntries(presences.presences.map((one) => [one.userId, one.status])),
      },
    }));
    this.know(presences.presences.map((one) => one.userId));
  }

  /** One may see more or less of a community than before, or nothing. */
  async #access(communityId: string): Promise<void> {
    try {
      await this.#look(communityId);
    } catch (thrown) {
      if (!(thrown instanceof CallError) || thrown.code !== Code.NotFound) throw thrown;
      this.change((state) => left(state, communityId));
    }
  }

  async #entered(channelId: string, fetch: () => Promise<boolean>): Promise<void> {
    this.#hearOf(channelId);
    try {
      while (!(await lasting(fetch)));
    } catch (thrown) {
      if (!(thrown instanceof CallError) || thrown.code !== Code.NotFound) throw thrown;
      this.#room(channelId, (room) => ({ ...room, gone: true }));
    }
  }

  /** Does not ask for what was asked for and is on its way. */
  async #once(what: string, fetch: () => Promise<unknown>): Promise<void> {
    if (this.#asked.has(what)) return;
    this.#asked.add(what);
    try {
      await fetch();
    } finally {
      this.#asked.delete(what);
    }
  }

  /** Says that everything there is in a channel is read. */
  async readAll(channelId: string): Promise<void> {
    // A number that no change has yet is taken as the latest there is.
    const state = await this.api.readStates.markRead({ channelId, sequence: latest });
    this.change((now) => ({ ...now, reads: { ...now.reads, [channelId]: state } }));
  }

  /** Fetches a page; false when everything was fetched anew meanwhile: the page may have missed something. */
  async #page(channelId: string, pageToken: string): Promise<boolean> {
    const fetch = this.#fetches;
    const page = await (pageToken === "" ? this.#takeAhead(channelId) : this.api.messages.listMessages({ channelId, pageSize, pageToken }));
    if (fetch !== this.#fetches) return false;
    const older = page.nextPageToken === "" ? "end" : page.nextPageToken;
    if (pageToken === "") this.#latest(channelId, page.messages, older);
    else this.#room(channelId, (room) => ({ ...room, messages: merged(room.messages, page.messages), older }));
    this.#knowAuthors(page.messages);
    return true;
  }

  /** Asks for the latest page of a room that is about to be shown. */
  #askAhead(roomId: string): void {
    const page = this.api.messages.listMessages({ channelId: roomId, pageSize });
    page.catch(() => {});
    this.#ahead = { roomId, fetch: this.#fetches, page };
    this.#hearOf(roomId);
  }

  /** The latest page of a room: that which was asked for ahead, once, unless it may have missed something. */
  #takeAhead(roomId: string): Promise<ListMessagesResponse> {
    const ahead = this.#ahead;
    if (ahead?.roomId !== roomId) return this.api.messages.listMessages({ channelId: roomId, pageSize });
    this.#ahead = undefined;
    return ahead.fetch === this.#fetches ? ahead.page : this.#takeAhead(roomId);
  }

  /** What is said from now on in a room is kept: the page that is on its way may be older. */
  #hearOf(roomId: string): void {
    this.#room(roomId, (room) => room);
  }

  #latest(channelId: string, messages: readonly Message[], older: string): void {
    const read = store.getState().reads[channelId];
    this.#room(channelId, (room) => ({
      ...room,
      // A run that was jumped to does not border on this one.
      messages: merged(room.around ? [] : current(room, messages), messages),
      older,
      newer: "",
      around: false,
      newFrom: room.newFrom ?? (read !== undefined && read.unreadCount > 0 ? read.readSequence : undefined),
      gone: false,
      staleTo: undefined,
    }));
  }

  /** Fetches the messages around a place, or a page beside those; false as `#page` is. */
  async #around(
    channelId: string,
    where: { readonly messageId: string } | { readonly time: Timestamp } | { readonly pageToken: string },
  ): Promise<boolean> {
    const fetch = this.#fetches;
    const page = await this.api.messages.listMessagesAround({ channelId, pageSize, ...where });
    if (fetch !== this.#fetches) return false;
    const older = page.olderPageToken === "" ? "end" : page.olderPageToken;
    const newer = page.newerPageToken;
    this.#room(channelId, (room) => {
      if (!("pageToken" in where)) {
        return { ...room, messages: merged([], page.messages), older, newer, around: true, gone: false, staleTo: undefined };
      }
      const more = merged(room.messages, page.messages);
      return where.pageToken === room.older ? { ...room, messages: more, older } : { ...room, messages: more, newer };
    });
    this.#knowAuthors(page.messages);
    return true;
  }

  #knowAuthors(messages: readonly Message[]): void {
    this.know(messages.flatMap((one) => [one.authorId, one.replyTo?.authorId ?? "", ...(one.mentions?.userIds ?? [])]));
  }

  /** What one writes in a channel arrives in that order: the next waits for the one before. */
  #queue(channelId: string, one: Outgoing): void {
    const before = this.#sending.get(channelId) ?? Promise.resolve();
    const done = before.then(() => this.#send(channelId, one));
    this.#sending.set(channelId, done);
  }

  async #send(channelId: string, { nonce, content, replyToId }: Outgoing): Promise<void> {
    try {
      // It may have arrived: the nonce makes it one message however often it is sent.
      const message = await lasting(() => this.api.messages.createMessage({ channelId, content, nonce, replyToId }));
      this.change((state) => applied(state, { case: "messageCreated", value: { message } as never }, this.now()));
    } catch (thrown) {
      const refused = (thrown instanceof CallError && thrown.reason) || "UNKNOWN";
      this.#outgoing(channelId, nonce, (it) => ({ ...it, refused }));
    }
  }

  #outgoing(channelId: string, nonce: string, how: (one: Outgoing) => Outgoing | undefined): void {
    this.#room(channelId, (room) => ({
      ...room,
      outgoing: room.outgoing.map((one) => (one.nonce === nonce ? how(one) : one)).filter((one) => one !== undefined),
    }));
  }

  #room(channelId: string, how: (room: Room) => Room): void {
    this.change((state) => ({
      ...state,
      rooms: { ...state.rooms, [channelId]: how(state.rooms[channelId] ?? emptyRoom) },
    }));
  }
}
