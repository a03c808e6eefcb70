import { create } from "@bufbuild/protobuf";
import type { DescService } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";

import type { Client } from "@creavio/client";
import { ConversationService } from "@creavio/client/chat/v1/conversation_service";
import { type Message, MessageSchema } from "@creavio/client/chat/v1/message";
import { MessageService } from "@creavio/client/chat/v1/message_service";
import { ReadStateService } from "@creavio/client/chat/v1/read_state_service";
import { CategoryService } from "@creavio/client/community/v1/category_service";
import { ChannelService } from "@creavio/client/community/v1/channel_service";
import { CommunityService } from "@creavio/client/community/v1/community_service";
import { GatewayService } from "@creavio/client/gateway/v1/gateway_service";
import { UserSchema } from "@creavio/client/user/v1/user";
import { UserService } from "@creavio/client/user/v1/user_service";

import { api } from "@/api/client";
import { Actions } from "@/store/actions";
import { empty } from "@/store/state";
import { change, store } from "@/store/store";

const room = "chn_1";
let said: Message[];
/** Up to where it was said that the room is read. */
let marked: bigint[];
/** What holds a page back once it was read from the list. */
let held: Promise<void>;
/** What holds the list of communities back. */
let listed: Promise<void>;
/** What was asked for, in order. */
let asked: string[];

const transport = createRouterTransport(({ service }) => {
  service(CommunityService, {
    async listCommunities() {
      await listed;
      return { communities: [{ id: "com_1", name: "One" }] };
    },
  });
  service(ChannelService, {
    listChannels() {
      asked.push("channels");
      return { channels: [{ id: room, communityId: "com_1" }] };
    },
  });
  service(CategoryService, { listCategories: () => ({}) });
  service(GatewayService, { listPresences: () => ({}) });
  service(ConversationService, { listConversations: () => ({}) });
  service(ReadStateService, {
    listConversationReadStates: () => ({}),
    listReadStates: () => ({ readStates: [{ channelId: room, readSequence: 1n, unreadCount: 1 }] }),
    listThreadReadStates: () => ({}),
    async markRead({ sequence }) {
      marked.push(sequence);
      await held;
      return { channelId: room, readSequence: sequence };
    },
  });
  service(UserService, { batchGetUsers: () => ({ users: [{ id: "usr_ken", handle: "ken" }] }) });
  service(MessageService, {
    async listMessages() {
      asked.push("messages");
      const messages = [...said];
      await held;
      return { messages };
    },
  });
});

function message(sequence: bigint, content: string): Message {
  return create(MessageSchema, { id: `msg_${sequence}`, channelId: room, sequence, content, revision: 1n });
}

function shown(): string[] {
  return store.getState().rooms[room]?.messages.map((one) => one.content) ?? [];
}

function made(): Actions {
  const client = { service: (described: DescService) => createClient(described, transport) };
  return new Actions(api(client as unknown as Client));
}

beforeEach(() => {
  said = [message(1n, "one")];
  marked = [];
  held = listed = Promise.resolve();
  asked = [];
  change(() => ({ ...empty, phase: "inside", me: create(UserSchema, { id: "usr_me" }) }));
});

test("what is looked at when everything is fetched anew is there afterwards", async () => {
  const actions = made();
  await actions.enter(room);
  said = [message(1n, "one"), message(2n, "missed")];
  await actions.refetch();
  expect(store.getState().rooms[room]?.staleTo).toBeDefined();
  expect(shown()).toEqual(["one"]);
  await actions.enter(room);
  expect(shown()).toEqual(["one", "missed"]);
});

test("a page that was asked for before everything is fetched anew is asked for again", async () => {
  const actions = made();
  let letGo = (): void => {};
  held = new Promise((resolve) => (letGo = resolve));
  const entered = actions.enter(room);
  await new Promise((resolve) => setTimeout(resolve));
  said = [message(1n, "one"), message(2n, "missed")];
  await actions.refetch();
  letGo();
  await entered;
  expect(shown()).toEqual(["one", "missed"]);
});

test("a place that is founded while all are fetched is there afterwards", async () => {
  const actions = made();
  const fetched = actions.refetch();
  actions.heard({ case: "communityUpdated", value: { community: { id: "com_new", name: "New" } } as never });
  await fetched;
  expect(Object.keys(store.getState().communities).sort()).toEqual(["com_1", "com_new"]);
});

test("what is heard while a page is fetched anew stays, what is gone goes", async () => {
  said = [message(1n, "one"), message(2n, "deleted while away")];
  const actions = made();
  await actions.enter(room);
  said = [message(1n, "one")];
  await actions.refetch();
  const entered = actions.enter(room);
  actions.heard({ case: "messageCreated", value: { message: message(3n, "just now") } as never });
  await entered;
  expect(shown()).toEqual(["one", "just now"]);
});

test("what is looked at is asked for once, and not after the list of places", async () => {
  const actions = made();
  let letGo = (): void => {};
  listed = new Promise((resolve) => (letGo = resolve));
  said = [message(1n, "one"), message(2n, "new")];
  const fetched = actions.refetch({ communityId: "com_1", roomId: room });
  await vi.waitFor(() => expect(store.getState().channels["com_1"]).toHaveLength(1));
  actions.heard({ case: "messageCreated", value: { message: message(3n, "just now") } as never });
  await actions.enter(room);
  expect(shown()).toEqual(["one", "new", "just now"]);
  expect(store.getState().rooms[room]?.newFrom).toBe(1n);
  letGo();
  await fetched;
  expect(asked.toSorted()).toEqual(["channels", "messages"]);
  expect(store.getState().rooms[room]?.staleTo).toBeUndefined();
});

test("a page that was asked for ahead is asked for again when everything is fetched anew", async () => {
  const actions = made();
  await actions.refetch({ communityId: "com_1", roomId: room });
  said = [message(1n, "one"), message(2n, "missed")];
  await actions.refetch();
  await actions.enter(room);
  expect(shown()).toEqual(["one", "missed"]);
});

test("what is said while the first page of a room is on its way stays, and is not said to be read", async () => {
  const actions = made();
  let letGo = (): void => {};
  held = new Promise((resolve) => (letGo = resolve));
  const entered = actions.enter(room);
  await vi.waitFor(() => expect(asked).toEqual(["messages"]));
  actions.heard({ case: "messageCreated", value: { message: message(2n, "just now") } as never });
  await actions.read(room);
  expect(marked).toEqual([]);
  letGo();
  await entered;
  expect(shown()).toEqual(["one", "just now"]);
});

test("who is not known yet is no stranger, and who is nobody is", async () => {
  const actions = made();
  actions.know(["usr_ken", "usr_gone"]);
  expect(store.getState().strangers.size).toBe(0);
  await vi.waitFor(() => expect(store.getState().users["usr_ken"]?.handle).toBe("ken"));
  expect([...store.getState().strangers]).toEqual(["usr_gone"]);
});

test("what is read while it is being said that something is, is said once", async () => {
  const actions = made();
  await actions.enter(room);
  let release: () => void = () => {};
  held = new Promise((resolve) => (release = resolve));
  const first = actions.read(room);
  await vi.waitFor(() => expect(marked).toEqual([1n]));
  for (const sequence of [2n, 3n, 4n]) {
    actions.heard({ case: "messageCreated", value: { message: message(sequence, "more") } as never });
    void actions.read(room);
  }
  release();
  await first;
  expect(marked).toEqual([1n, 4n]);
});
