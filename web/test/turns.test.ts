import { beforeEach, expect, test, vi } from "vitest";

import type { Client } from "@creavio/client";
import type { Told } from "@/stream/messages";

import { inTurns } from "@/stream/turns";

let turn: () => Promise<void>;
let ready: () => void;
/** Has another page say something. */
let said: (data: Told) => void;

/** A stream that says it is there when it is told to, and then nothing more. */
function client(): Client {
  const events = () => ({
    async *[Symbol.asyncIterator]() {
      await new Promise<void>((resolve) => (ready = resolve));
      yield { payload: { case: "ready", value: {} } };
      await new Promise(() => {});
    },
  });
  return { events } as unknown as Client;
}

beforeEach(() => {
  vi.stubGlobal("BroadcastChannel", class {
    onmessage: ((event: { data: unknown }) => void) | undefined;
    constructor() {
      said = (data) => this.onmessage?.({ data });
    }
    postMessage(): void {}
    close(): void {}
  });
  const request = (_: string, __: object, lead: () => Promise<void>) => {
    turn = lead;
    return new Promise(() => {});
  };
  vi.stubGlobal("navigator", { locks: { request } });
});

test("whoever takes a turn looks for what was missed once the stream is there, and not before", async () => {
  const told: Told[] = [];
  inTurns(client(), (one) => told.push(one));
  said({ kind: "open" });
  void turn();
  await Promise.resolve();
  expect(told).toEqual([{ kind: "open" }]);
  ready();
  await vi.waitFor(() => expect(told).toHaveLength(3));
  expect(told[1]).toEqual({ kind: "open" });
  expect(told[2]).toMatchObject({ kind: "event", payload: { case: "refetch" } });
});

test("the first of all pages missed nothing", async () => {
  const told: Told[] = [];
  inTurns(client(), (one) => told.push(one));
  void turn();
  await Promise.resolve();
  ready();
  await vi.waitFor(() => expect(told).toHaveLength(1));
  await new Promise((resolve) => setTimeout(resolve));
  expect(told).toEqual([{ kind: "open" }]);
});
