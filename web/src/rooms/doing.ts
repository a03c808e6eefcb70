import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { pages } from "@creavio/client";
import type { Bookmark } from "@creavio/client/chat/v1/bookmark";
import { BookmarkService } from "@creavio/client/chat/v1/bookmark_service";
import { DraftService } from "@creavio/client/chat/v1/draft_service";
import { ConversationService } from "@creavio/client/chat/v1/conversation_service";
import { ForwardService } from "@creavio/client/chat/v1/forward_service";
import type { Message, MessageVersion } from "@creavio/client/chat/v1/message";
import { PinService } from "@creavio/client/chat/v1/pin_service";
import { PollService } from "@creavio/client/chat/v1/poll_service";
import { PostService } from "@creavio/client/chat/v1/post_service";
import type { ScheduledMessage } from "@creavio/client/chat/v1/scheduled_message";
import { ScheduledMessageService } from "@creavio/client/chat/v1/scheduled_message_service";
import { SlowModeService } from "@creavio/client/chat/v1/slow_mode_service";
import type { Thread } from "@creavio/client/chat/v1/thread";
import { ThreadService } from "@creavio/client/chat/v1/thread_service";
import type { ForumSort } from "@creavio/client/community/v1/forum";
import { RoleService } from "@creavio/client/rbac/v1/role_service";

import { go } from "@/route";
import type { Actions } from "@/store/actions";
import { keeping, merged } from "@/store/events";
import { store } from "@/store/store";

import { placeOfRoom, whereIs } from "./where";

/** What one does in rooms besides reading and writing. It is loaded with them. */
export class RoomActions {
  constructor(private readonly actions: Actions) {}

  async #all<T>(items: AsyncIterable<T>): Promise<T[]> {
    const all: T[] = [];
    for await (const item of items) all.push(item);
    return all;
  }

  get #client() {
    return this.actions.api.client;
  }

  /** A message as an answer of the platform says it. */
  #take(message: Message): void {
    this.actions.change((state) => {
      const room = state.rooms[message.channelId];
      if (room === undefined || !room.messages.some((one) => one.id === message.id)) return state;
      return { ...state, rooms: { ...state.rooms, [message.channelId]: { ...room, messages: merged(room.messages, [message]) } } };
    });
  }

  async pin(channelId: string, messageId: string, pinned: boolean): Promise<void> {
    const pins = this.#client.service(PinService);
    this.#take(pinned ? await pins.pinMessage({ channelId, messageId }) : await pins.unpinMessage({ channelId, messageId }));
  }

  async pins(channelId: string): Promise<readonly Message[]> {
    const { messages } = await this.#client.service(PinService).listPins({ channelId });
    this.actions.know(messages.map((one) => one.authorId));
    return messages;
  }

  /** Fetches which messages one keeps, unless that is known. */
  async saved(): Promise<readonly Bookmark[]> {
    const bookmarks = await this.#all(pages(this.#client.service(BookmarkService).listBookmarks, { pageSize: 100 }, (page) => page.bookmarks));
    this.actions.change((state) => ({ ...state, saved: new Set(bookmarks.map((one) => one.messageId)) }));
    this.actions.know(bookmarks.map((one) => one.message?.authorId ?? ""));
    return bookmarks;
  }

  async keep(channelId: string, messageId: string, kept: boolean): Promise<void> {
    const bookmarks = this.#client.service(BookmarkService);
    if (kept) await bookmarks.addBookmark({ channelId, messageId });
    else await bookmarks.removeBookmark({ messageId });
    this.actions.change((state) => keeping(state, messageId, kept));
  }

  async versions(channelId: string, messageId: string): Promise<readonly MessageVersion[]> {
    return (await this.actions.api.messages.listMessageVersions({ channelId, messageId })).versions;
  }

  /** Deletes messages, all of them or none. */
  async removeAll(channelId: string, messageIds: string[]): Promise<void> {
    await this.actions.api.messages.bulkDeleteMessages({ channelId, messageIds });
    for (const messageId of messageIds) this.actions.heard({ case: "messageDeleted", value: { channelId, messageId } as never });
  }

  #thread(thread: Thread): Thread {
    this.actions.change((state) => ({ ...state, threads: { ...state.threads, [thread.id]: thread } }));
    this.actions.know([thread.creatorId]);
    return thread;
  }

  async thread(threadId: string): Promise<void> {
    if (!(threadId in store.getState().threads)) this.#thread(await this.#client.service(ThreadService).getThread({ threadId }));
  }

  /** Leads to a message, wherever it stands. */
  async goTo(roomId: string, messageId: string): Promise<void> {
    if (roomId.startsWith("thr_")) await this.thread(roomId);
    go(placeOfRoom(whereIs(store.getState(), roomId)), "push", messageId);
  }

  /** Begins a thread at a message, or at none. */
  async beginThread(channelId: string, messageId: string, name: string): Promise<Thread> {
    return this.#thread(await this.#client.service(ThreadService).createThread({ channelId, messageId, name }));
  }

  async threads(channelId: string, archived: boolean): Promise<readonly Thread[]> {
    const { threads } = await this.#client.service(ThreadService).listThreads({ channelId, archived, pageSize: 100 });
    for (const one of threads) this.#thread(one);
    return threads;
  }

  async changeThread(threadId: string, what: { name?: string; archived?: boolean; locked?: boolean }): Promise<void> {
    this.#thread(await this.#client.service(ThreadService).updateThread({ threadId, ...what }));
  }

  async follow(threadId: string, following: boolean): Promise<void> {
    const threads = this.#client.service(ThreadService);
    this.#thread(following ? await threads.followThread({ threadId }) : await threads.unfollowThread({ threadId }));
  }

  async deleteThread(threadId: string): Promise<void> {
    await this.#client.service(ThreadService).deleteThread({ threadId });
  }

  /** The threads one follows in which something is new. */
  async newThreads(communityIds: readonly string[]): Promise<readonly string[]> {
    const { readStates } = this.actions.api;
    const states = await Promise.all(
      communityIds.map((communityId) => this.#all(pages(readStates.listThreadReadStates, { communityId }, (page) => page.readStates))),
    );
    const ids = states.flat().map((one) => one.channelId);
    await Promise.all(ids.map((id) => this.thread(id)));
    return ids;
  }

  /** A page of a forum's posts, and what asks for the next. */
  async posts(
    channelId: string,
    wanted: { readonly sort: ForumSort; readonly tagIds: string[]; readonly archived: boolean; readonly pageToken: string },
  ): Promise<{ readonly posts: readonly Thread[]; readonly next: string }> {
    const { posts, nextPageToken } = await this.#client.service(PostService).listPosts({ channelId, ...wanted });
    for (const one of posts) this.#thread(one);
    return { posts, next: nextPageToken };
  }

  async post(channelId: string, name: string, content: string, tagIds: string[]): Promise<Thread> {
    return this.#thread(await this.#client.service(PostService).createPost({ channelId, name, content, tagIds, requestId: crypto.randomUUID() }));
  }

  /** Says anew which tags a post has. */
  async tagPost(threadId: string, tagIds: string[]): Promise<void> {
    this.#thread(await this.#client.service(PostService).setPostTags({ threadId, tagIds }));
  }

  async pinPost(threadId: string, pinned: boolean): Promise<void> {
    const posts = this.#client.service(PostService);
    this.#thread(pinned ? await posts.pinPost({ threadId }) : await posts.unpinPost({ threadId }));
  }

  async ask(
    channelId: string,
    poll: { question: string; options: string[]; multiple: boolean; anonymous: boolean; openHours: number },
  ): Promise<void> {
    const message = await this.actions.api.messages.createMessage({ channelId, content: poll.question, nonce: crypto.randomUUID(), poll });
    this.actions.heard({ case: "messageCreated", value: { message } as never });
  }

  /** Sends a message on to another room. */
  async forward(message: Message, channelId: string, content: string): Promise<void> {
    const sent = await this.#client.service(ForwardService).forwardMessage({
      channelId,
      sourceChannelId: message.channelId,
      sourceMessageId: message.id,
      content,
      nonce: crypto.randomUUID(),
    });
    this.actions.heard({ case: "messageCreated", value: { message: sent } as never });
  }

  /** Which message one was forwarded from. */
  async source({ channelId, id: messageId }: Message): Promise<{ readonly channelId: string; readonly messageId: string }> {
    return await this.#client.service(ForwardService).getForwardSource({ channelId, messageId });
  }

  async vote(message: Message, options: number[]): Promise<void> {
    this.#take(await this.#client.service(PollService).vote({ channelId: message.channelId, messageId: message.id, options }));
  }

  async closePoll(message: Message): Promise<void> {
    this.#take(await this.#client.service(PollService).closePoll({ channelId: message.channelId, messageId: message.id }));
  }

  async voters(message: Message, option: number): Promise<readonly string[]> {
    const request = { channelId: message.channelId, messageId: message.id, option, pageSize: 100 };
    const ids = await this.#all(pages(this.#client.service(PollService).listVoters, request, (page) => page.userIds));
    this.actions.know(ids);
    return ids;
  }

  async schedule(channelId: string, content: string, when: Date, replyToId: string): Promise<void> {
    const sendTime: Timestamp = timestampFromDate(when);
    await this.#client.service(ScheduledMessageService).scheduleMessage({ channelId, content, sendTime, replyToId, requestId: crypto.randomUUID() });
  }

  /** Changes a message that waits; one that could not be sent waits again. */
  async reschedule(scheduledMessageId: string, what: { content?: string; sendTime?: Timestamp }): Promise<ScheduledMessage> {
    return await this.#client.service(ScheduledMessageService).updateScheduledMessage({ scheduledMessageId, ...what });
  }

  async scheduled(): Promise<readonly ScheduledMessage[]> {
    return (await this.#client.service(ScheduledMessageService).listScheduledMessages({})).scheduledMessages;
  }

  /** Fetches what one began to write on other devices, unless that is known. */
  async drafts(): Promise<void> {
    if (store.getState().drafts !== undefined) return;
    const drafts = await this.#all(pages(this.#client.service(DraftService).listDrafts, { pageSize: 100 }, (page) => page.drafts));
    const contents = Object.fromEntries(drafts.map((one) => [one.channelId, one.content]));
    this.actions.change((state) => ({ ...state, drafts: { ...contents, ...state.drafts } }));
  }

  /** Keeps what one began to write for one's other devices; nothing, when it is empty. */
  async keepDraft(channelId: string, content: string): Promise<void> {
    const drafts = this.#client.service(DraftService);
    if (content.trim() !== "") await drafts.saveDraft({ channelId, content });
    else if (store.getState().drafts?.[channelId] !== undefined) await drafts.deleteDraft({ channelId });
  }

  async cancelScheduled(scheduledMessageId: string): Promise<void> {
    await this.#client.service(ScheduledMessageService).cancelScheduledMessage({ scheduledMessageId });
  }

  /** Asks how often one may write here, unless that is known. */
  async slow(channelId: string): Promise<void> {
    if (channelId in store.getState().slow) return;
    const { seconds } = await this.#client.service(SlowModeService).getSlowMode({ channelId });
    this.actions.change((state) => ({ ...state, slow: { ...state.slow, [channelId]: seconds } }));
  }

  /** Fetches the roles of a community, unless they are known. */
  async roles(communityId: string): Promise<void> {
    if (communityId === "" || communityId in store.getState().roles) return;
    const { roles } = await this.#client.service(RoleService).listRoles({ communityId });
    this.actions.change((state) => ({ ...state, roles: { ...state.roles, [communityId]: roles } }));
  }

  /** Opens a conversation with several people. */
  async gather(userIds: string[], name: string): Promise<string> {
    const conversation = await this.actions.api.conversations.createConversation({
      userIds,
      name,
      group: true,
      requestId: crypto.randomUUID(),
    });
    this.actions.heard({ case: "conversationCreated", value: { conversation } as never });
    return conversation.id;
  }

  #conversations = () => this.#client.service(ConversationService);

  async addPeople(conversationId: string, userIds: string[]): Promise<void> {
    const conversation = await this.#conversations().addConversationMembers({ conversationId, userIds });
    this.actions.heard({ case: "conversationUpdated", value: { conversation } as never });
    this.actions.know(userIds);
  }

  async removePerson(conversationId: string, userId: string): Promise<void> {
    await this.#conversations().removeConversationMember({ conversationId, userId });
  }

  async handOver(conversationId: string, userId: string): Promise<void> {
    const conversation = await this.#conversations().handOverConversation({ conversationId, userId });
    this.actions.heard({ case: "conversationUpdated", value: { conversation } as never });
  }

  async renameConversation(conversationId: string, name: string): Promise<void> {
    const conversation = await this.#conversations().updateConversation({ conversationId, name });
    this.actions.heard({ case: "conversationUpdated", value: { conversation } as never });
  }
}
