import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { MessageSchema } from "@creavio/client/chat/v1/message";
import { UserSchema } from "@creavio/client/user/v1/user";

import { applied, merged } from "@/store/events";
import { empty, emptyRoom, type State } from "@/store/state";

const me = create(UserSchema, { id: "usr_me" });
const inside: State = { ...empty, phase: "inside", me, rooms: { r: emptyRoom } };

function message(id: string, sequence: bigint, more: Partial<{ authorId: string; nonce: string; revision: bigint; content: string }> = {}) {
  return create(MessageSchema, { id, channelId: "r", sequence, authorId: "usr_other", revision: 1n, ...more });
}

function told(state: State, value: ReturnType<typeof message>): State {
  return applied(state, { case: "messageCreated", value: { message: value } as never }, 0);
}

test("messages stand in their order, each once, however they arrive", () => {
  const [a, b, c] = [message("a", 1n), message("b", 2n), message("c", 3n)];
  const after = [c, a, b, a, c].reduce(told, inside);
  expect(after.rooms["r"]?.messages.map((one) => one.id)).toEqual(["a", "b", "c"]);
});

test("what one sent takes the place of what was on its way", () => {
  const outgoing = [{ nonce: "n", content: "hi", replyToId: "", time: 0 }];
  const waiting = { ...inside, rooms: { r: { ...emptyRoom, outgoing } } };
  const after = told(waiting, message("a", 1n, { authorId: "usr_me", nonce: "n" }));
  expect(after.rooms["r"]?.outgoing).toEqual([]);
  // Of somebody else's with the same nonce it does not.
  expect(told(waiting, message("b", 2n, { nonce: "n" })).rooms["r"]?.outgoing).toEqual(outgoing);
});

test("an older edit does not undo a newer one", () => {
  const known = [message("a", 1n, { revision: 5n, content: "newest" })];
  expect(merged(known, [message("a", 1n, { revision: 4n, content: "older" })])[0]?.content).toBe("newest");
  expect(merged(known, [message("a", 1n, { revision: 6n, content: "newer" })])[0]?.content).toBe("newer");
});

test("others' messages are unread, one's own are read", () => {
  const after = told(inside, message("a", 1n));
  expect(after.reads["r"]?.unreadCount).toBe(1);
  const answered = told(after, message("b", 2n, { authorId: "usr_me" }));
  expect(answered.reads["r"]?.unreadCount).toBe(0);
  expect(answered.reads["r"]?.readSequence).toBe(2n);
});

test("who writes a message is not writing any more", () => {
  const writing = applied(inside, { case: "typing", value: { channelId: "r", userId: "usr_other" } as never }, 1000);
  expect(writing.typing["r"]).toEqual({ usr_other: 7000 });
  expect(told(writing, message("a", 1n)).typing["r"]).toEqual({});
});

test("of a place one was shown out of, nothing is kept", () => {
  const known = {
    ...inside,
    communities: { c: { id: "c" } as never },
    channels: { c: [{ id: "r", communityId: "c" } as never] },
  };
  const after = applied(known, { case: "memberRemoved", value: { communityId: "c", userId: "usr_me" } as never }, 0);
  expect(after.communities).toEqual({});
  expect(after.rooms).toEqual({});
});

test("what one may do is asked again when one's own roles change, and not when others' do", () => {
  const known: State = {
    ...inside,
    channels: { c: [{ id: "r", communityId: "c" } as never] },
    permissions: { c: new Set(), r: new Set(), elsewhere: new Set() },
  };
  const changed = (userId: string): State => applied(known, { case: "memberRolesChanged", value: { communityId: "c", userId, roleIds: [] } as never }, 0);
  expect(Object.keys(changed("usr_other").permissions)).toEqual(["c", "r", "elsewhere"]);
  expect(Object.keys(changed("usr_me").permissions)).toEqual(["elsewhere"]);
});
