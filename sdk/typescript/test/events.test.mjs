import assert from "node:assert/strict";
import { test } from "node:test";

import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";

import { GatewayService } from "../dist/contracts/creavio/gateway/v1/gateway_service_pb.js";
import { CallError, EventStream } from "../dist/index.js";
import { translated } from "../dist/errors.js";

const ready = { payload: { case: "ready", value: {} } };
const happened = (id) => ({ id, payload: { case: "typing", value: {} } });
const ended = (reason) => ({ payload: { case: "ended", value: { reason } } });

/** A gateway whose streams say these batches, one list a stream, and then break. */
function gateway(...streams) {
  const tokens = [];
  const transport = createRouterTransport(({ service }) => {
    service(GatewayService, {
      async *subscribe({ resumeToken }) {
        tokens.push(resumeToken);
        for (const batch of streams.shift() ?? [{ events: [ended("SESSION_REVOKED")] }]) {
          if (batch instanceof Error) throw batch;
          yield batch;
        }
      },
    });
  });
  return { tokens, client: createClient(GatewayService, transport) };
}

async function told(stream) {
  const events = [];
  const error = await (async () => {
    for await (const event of stream) events.push(event);
  })().catch((thrown) => thrown);
  assert.ok(error instanceof CallError, String(error));
  assert.equal(error.reason, "SESSION_REVOKED");
  return events.map((event) => event.id || event.payload.case);
}

test("a stream that breaks is resumed, and nothing is told twice", async () => {
  const { tokens, client } = gateway(
    [{ events: [ready, happened("evt_1")], resumeToken: "one" }],
    [{ events: [ready, happened("evt_1"), happened("evt_2")], resumeToken: "two" }],
  );
  assert.deepEqual(await told(new EventStream(async () => client)), ["ready", "evt_1", "ready", "evt_2"]);
  assert.deepEqual(tokens, ["", "one", "two"]);
});

test("a token that is refused is given up, and refetch says so", async () => {
  const refused = new CallError("too old", Code.InvalidArgument, "INVALID_RESUME_TOKEN");
  assert.equal(translated(refused), refused);
  const { tokens, client } = gateway([], [{ events: [ready], resumeToken: "new" }]);
  const subscribe = client.subscribe;
  let calls = 0;
  client.subscribe = (request, options) => {
    calls += 1;
    if (calls === 1) throw refused;
    return subscribe(request, options);
  };
  const stream = new EventStream(async () => client, "ancient");
  const iterator = stream[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value.payload.case, "refetch");
  assert.equal(stream.resumeToken, "");
  assert.deepEqual(tokens, []);
  await iterator.return();
});

test("a stream ends when nobody listens any more", async () => {
  const leaving = new AbortController();
  const { client } = gateway([{ events: [ready] }, new ConnectError("away", Code.Unavailable)]);
  let events = 0;
  for await (const _ of new EventStream(async () => client, "", leaving.signal)) {
    events += 1;
    leaving.abort();
  }
  assert.equal(events, 1);
});
