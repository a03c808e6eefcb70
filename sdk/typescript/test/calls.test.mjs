import assert from "node:assert/strict";
import { test } from "node:test";

import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";

import { calling } from "../dist/calls.js";
import { AccountService } from "../dist/contracts/creavio/auth/v1/account_service_pb.js";
import { MessageService } from "../dist/contracts/creavio/chat/v1/message_service_pb.js";
import { CallError, Client, Retries } from "../dist/index.js";

const soon = (options = {}) => new Retries({ first: 0.001, ...options });

/** A platform that is away for the first calls; keeps what it was asked. */
function platform(failures, { token = async () => "a-token", retries = soon() } = {}) {
  const asked = [];
  const answer = (request, context) => {
    asked.push({ request, authorization: context.requestHeader.get("authorization") });
    const failure = failures.shift();
    if (failure !== undefined) throw new ConnectError("no", failure);
    return {};
  };
  const transport = createRouterTransport(
    ({ service }) => {
      service(MessageService, { createMessage: answer, listMessages: answer });
      service(AccountService, { createAccount: answer });
    },
    { transport: { interceptors: [calling(token, retries)] } },
  );
  return { asked, messages: createClient(MessageService, transport), accounts: createClient(AccountService, transport) };
}

test("a message is sent again under the same nonce", async () => {
  const { asked, messages } = platform([Code.Unavailable, Code.Unavailable]);
  await messages.createMessage({ content: "Hello." });
  const nonces = asked.map(({ request }) => request.nonce);
  assert.equal(asked.length, 3);
  assert.notEqual(nonces[0], "");
  assert.equal(new Set(nonces).size, 1);
});

test("what may not be repeated is sent once, and without a token", async () => {
  const { asked, accounts } = platform([Code.Unavailable]);
  await assert.rejects(accounts.createAccount({}), (error) => error instanceof CallError && error.code === Code.Unavailable);
  assert.deepEqual(asked.map(({ authorization }) => authorization), [null]);
});

test("a platform in trouble is left alone", async () => {
  const { asked, messages } = platform(Array(100).fill(Code.Unavailable));
  for (let call = 0; call < 20; call += 1) await assert.rejects(messages.listMessages({}));
  assert.ok(asked.length < 30, `${asked.length} calls`);
});

test("what is wrong is not tried again", async () => {
  const { asked, messages } = platform([Code.InvalidArgument]);
  await assert.rejects(messages.listMessages({}));
  assert.equal(asked.length, 1);
});

test("a token that is refused is renewed once", async () => {
  const refused = [];
  const token = async (old = "") => (old === "" ? "old" : (refused.push(old), "new"));
  const { asked, messages } = platform([Code.Unauthenticated], { token });
  await messages.listMessages({});
  assert.deepEqual(asked.map(({ authorization }) => authorization), ["Bearer old", "Bearer new"]);
  assert.deepEqual(refused, ["old"]);
});

test("a page's session is renewed although the page is closed meanwhile, and nothing else is asked so", async () => {
  const asked = [];
  const fetch = async (url, { keepalive = false }) => {
    asked.push([new URL(url).pathname.split("/").at(-1), keepalive]);
    throw new TypeError("away");
  };
  const options = { cookie: true, fetch, retries: soon() };
  await assert.rejects(new Client("https://example.org", options).token());
  await assert.rejects(new Client("https://example.org", { ...options, token: "a-token" }).service(MessageService).createMessage({}));
  assert.deepEqual([...new Set(asked.map(String))], ["RefreshSession,true", "CreateMessage,false"]);
});

test("only errors of calls are CallErrors", () => {
  assert.ok(!(new ConnectError("no") instanceof CallError));
  assert.ok(new CallError("no", Code.NotFound, "NOT_FOUND") instanceof ConnectError);
});
