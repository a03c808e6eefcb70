import { type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { Code, type Interceptor, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";

import { policies, type Policy } from "./contracts/policies.js";
import type { CallError } from "./errors.js";
import { translated } from "./errors.js";
import { type Retries, sleep } from "./retrying.js";

/** Asks for the refresh token as a cookie. */
const byCookie = "creavio-refresh-token";

const nothingSaid: Policy = { repeatable: false, key: "", anonymous: false };

/** Signs calls, gives them a key, and sends them again where that is harmless. */
export function calling(
  token: (refused?: string) => Promise<string>,
  retries: Retries,
  cookie = false,
): Interceptor {
  return (next) => async (request) => {
    const policy = policies[`/${request.service.typeName}/${request.method.name}`] ?? nothingSaid;
    const signed = async (sent: string): Promise<UnaryResponse | StreamResponse> => {
      if (sent !== "") request.header.set("authorization", `Bearer ${sent}`);
      try {
        return await next(request);
      } catch (thrown) {
        throw translated(thrown);
      }
    };
    // What begins a session needs none; the others do not look at it.
    if (cookie && policy.anonymous) request.header.set(byCookie, "cookie");
    const once = async (): Promise<UnaryResponse | StreamResponse> => {
      const sent = policy.anonymous ? "" : await token();
      try {
        return await signed(sent);
      } catch (thrown) {
        const error = thrown as CallError;
        if (error.code !== Code.Unauthenticated || sent === "") throw error;
        const other = await token(sent);
        if (other === "" || other === sent) throw error;
        return await signed(other);
      }
    };
    if (request.stream) return await once();
    if (policy.key !== "") name(request.method.input, request.message, policy.key);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const reply = await once();
        retries.succeeded();
        return reply;
      } catch (thrown) {
        const error = translated(thrown);
        const pause = policy.repeatable ? retries.pause(attempt, error) : undefined;
        if (pause === undefined) throw error;
        await sleep(pause, request.signal);
      }
    }
  };
}

/**
 * A fetch that begins or renews a session although its page is closed meanwhile: the browser
 * takes the new cookie, and the one before, which is spent, is not shown again as if stolen.
 */
export function outliving(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return (input, init) => fetch(input, new Headers(init?.headers).has(byCookie) ? { ...init, keepalive: true } : init);
}

/** Gives a request an idempotency key where it has none. */
function name(schema: DescMessage, message: Message, key: string): void {
  const request = reflect(schema, message, false);
  const field = schema.fields.find((one) => one.name === key);
  if (field !== undefined && field.fieldKind === "scalar" && request.get(field) === "") {
    request.set(field, crypto.randomUUID());
  }
}
