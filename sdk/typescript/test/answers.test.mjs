import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";

import { MessageService } from "../dist/contracts/creavio/chat/v1/message_service_pb.js";
import { RetryInfoSchema } from "../dist/contracts/google/rpc/error_details_pb.js";
import { StatusSchema } from "../dist/contracts/google/rpc/status_pb.js";
import { CallError, Client, EventStream, Retries } from "../dist/index.js";

/** What the Python SDK is tried with, by coverage: bytes like any to this one. */
const corpus = new URL("../../../tests/fuzz/corpus/sdk_answer/", import.meta.url);
const inputs = readdirSync(corpus).map((name) => [name, readFileSync(new URL(name, corpus))]);

const grpcWeb = "application/grpc-web+proto";
const framed = (flag, data) => {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag);
  head.writeUInt32BE(data.length, 1);
  return Buffer.concat([head, data]);
};
const trailers = (text) => framed(0x80, Buffer.from(text, "latin1"));

/** The ways in which bytes can be an answer, or a part of one. */
const answers = {
  "a body": (bytes) => new Response(bytes, { headers: { "content-type": grpcWeb } }),
  "a message": (bytes) =>
    new Response(Buffer.concat([framed(0, bytes), trailers("grpc-status: 0\r\n")]), { headers: { "content-type": grpcWeb } }),
  trailers: (bytes) => new Response(framed(0x80, bytes), { headers: { "content-type": grpcWeb } }),
  details: (bytes) =>
    new Response(trailers(`grpc-status: 3\r\ngrpc-status-details-bin: ${bytes.toString("base64")}\r\n`), {
      headers: { "content-type": grpcWeb },
    }),
  "spoilt details": (bytes) =>
    new Response(trailers(`grpc-status: 3\r\ngrpc-status-details-bin: ${bytes.toString("latin1").replace(/[\r\n]/g, "")}\r\n`), {
      headers: { "content-type": grpcWeb },
    }),
  "a page": (bytes) => new Response(bytes, { status: 502, headers: { "content-type": "text/html" } }),
};

for (const [how, answer] of Object.entries(answers)) {
  test(`whatever is answered as ${how}, a call returns or fails with a CallError`, async () => {
    assert.ok(inputs.length > 20);
    for (const [name, bytes] of inputs) {
      const client = new Client("https://example.org", {
        token: "a-token",
        retries: new Retries({ attempts: 1 }),
        fetch: async () => answer(bytes),
      });
      const thrown = await client.service(MessageService).getMessage({}).then(() => undefined, (error) => error);
      assert.ok(thrown === undefined || thrown instanceof CallError, `${name}: ${thrown}`);
      if (thrown !== undefined) assert.ok(thrown.retryAfter === undefined || thrown.retryAfter >= 0, name);
    }
  });
}

/** The pauses that a stream makes, in milliseconds, which is asked each time to wait for so many seconds. */
async function pauses(seconds, times) {
  const leaving = new AbortController();
  const retry = create(RetryInfoSchema, { retryDelay: { seconds } });
  const subscribe = () => {
    const status = create(StatusSchema, { code: Code.ResourceExhausted, details: [anyPack(RetryInfoSchema, retry)] });
    const details = Buffer.from(toBinary(StatusSchema, status)).toString("base64");
    return new Response(trailers(`grpc-status: 8\r\ngrpc-status-details-bin: ${details}\r\n`), {
      headers: { "content-type": grpcWeb },
    });
  };
  const client = new Client("https://example.org", { token: "a-token", fetch: async () => subscribe() });
  const { GatewayService } = await import("../dist/contracts/creavio/gateway/v1/gateway_service_pb.js");
  const stream = new EventStream(async () => client.service(GatewayService), "", leaving.signal);
  const made = [];
  let broken = false;
  stream.onLost = () => {
    broken = true;
  };
  const real = globalThis.setTimeout;
  globalThis.setTimeout = (run, milliseconds, ...rest) => {
    if (!broken) return real(run, milliseconds, ...rest);
    broken = false;
    made.push(milliseconds);
    if (made.length === times) leaving.abort(new Error("enough"));
    return real(run, 0, ...rest);
  };
  try {
    await assert.rejects(async () => {
      for await (const _ of stream);
    }, /enough/);
  } finally {
    globalThis.setTimeout = real;
  }
  return made;
}

test("a stream comes back neither at once nor never, whatever is asked", async () => {
  for (const pause of await pauses(2n ** 40n, 3)) assert.equal(pause, 300_000);
  for (const seconds of [0n, -5n]) for (const pause of await pauses(seconds, 3)) assert.ok(pause > 0, `${pause}`);
  for (const pause of await pauses(60n, 3)) assert.equal(pause, 60_000);
});
