import { create } from "@bufbuild/protobuf";
import { Code, type Client as ServiceClient } from "@connectrpc/connect";

import type { Event } from "./contracts/creavio/gateway/v1/gateway_event_pb.js";
import type { GatewayService, SubscribeResponse } from "./contracts/creavio/gateway/v1/gateway_service_pb.js";
import { CallError, mayPass, translated } from "./errors.js";
import { Retries, sleep } from "./retrying.js";

/** Milliseconds without a word, of which one comes every 15 seconds, after which a stream is dead. */
const silence = 45_000;
/** Seconds after which a stream is tried again however long the platform asked to wait. */
const patience = 300;
const remembered = 4096;
const codes: Readonly<Record<string, Code>> = {
  RATE_LIMITED: Code.ResourceExhausted,
  UNAVAILABLE: Code.Unavailable,
  SESSION_REVOKED: Code.Unauthenticated,
  UNAUTHENTICATED: Code.Unauthenticated,
};

/**
 * Everything the caller may see, as it happens: `for await (const event of client.events())`.
 *
 * An event with an `id` is told once. A stream that breaks is resumed where it was. An
 * event `refetch` says that something was missed that cannot be told: fetch what you
 * show. Keep `resumeToken`, and another page goes on from there; it may be told the last
 * few events again. Ends with a CallError when the session does.
 */
export class EventStream implements AsyncIterable<Event> {
  readonly #seen = new Set<string>();
  readonly #pauses = new Retries({ longest: 15 });
  /** Told when the stream broke; `ready` is heard when it is back. */
  onLost: () => void = () => {};

  constructor(
    private readonly gateway: () => Promise<ServiceClient<typeof GatewayService>>,
    /** Resumes behind the event told last, or a few before it: keep it once that is done. */
    public resumeToken = "",
    private readonly signal?: AbortSignal,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    let failures = 0;
    for (;;) {
      try {
        for await (const batch of this.#batches()) {
          failures = 0;
          let left = batch.events.length;
          for (const event of batch.events) {
            if (event.payload.case === "ended") throw ended(event.payload.value);
            left -= 1;
            if (left === 0) this.#advance(batch);
            if (this.#isNew(event)) yield event;
          }
          this.#advance(batch);
        }
      } catch (thrown) {
        if (this.signal?.aborted === true) return;
        const error = translated(thrown);
        if (error.reason === "INVALID_RESUME_TOKEN" && this.resumeToken !== "") {
          // Too old, or of a log that is no more.
          this.resumeToken = "";
          const { EventSchema } = await import("./contracts/creavio/gateway/v1/gateway_event_pb.js");
          yield create(EventSchema, { payload: { case: "refetch", value: { detail: error.message } } });
        } else if (mayPass(error)) {
          failures += 1;
          this.onLost();
          // Whoever says when may say it wrongly: neither at once for ever, nor never. A timer
          // of more than 24 days goes off at once.
          const asked = Math.min(error.retryAfter ?? 0, patience);
          await sleep(Math.max(asked, this.#pauses.jittered(failures)), this.signal);
        } else {
          throw error;
        }
      }
    }
  }

  /** One stream; it ends by failing, also when nothing is said any more. */
  async *#batches(): AsyncGenerator<SubscribeResponse, void, undefined> {
    const over = new AbortController();
    const stop = (): void => over.abort();
    this.signal?.addEventListener("abort", stop, { once: true });
    let watch = setTimeout(stop, silence);
    try {
      const request = { resumeToken: this.resumeToken };
      const gateway = await this.gateway();
      for await (const batch of gateway.subscribe(request, { signal: over.signal, timeoutMs: 0 })) {
        clearTimeout(watch);
        yield batch;
        watch = setTimeout(stop, silence);
      }
      throw new CallError("the stream ended", Code.Unavailable, "UNAVAILABLE");
    } catch (thrown) {
      if (!over.signal.aborted) throw thrown;
      throw new CallError("the stream is silent", Code.Unavailable, "UNAVAILABLE", {}, undefined, thrown);
    } finally {
      clearTimeout(watch);
      this.signal?.removeEventListener("abort", stop);
      over.abort();
    }
  }

  #advance(batch: SubscribeResponse): void {
    if (batch.resumeToken !== "") this.resumeToken = batch.resumeToken;
  }

  #isNew(event: Event): boolean {
    if (event.id === "") return true;
    if (this.#seen.has(event.id)) return false;
    this.#seen.add(event.id);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= remembered) break;
      this.#seen.delete(oldest);
    }
    return true;
  }
}

/** Why a stream ended: some of it is over, the rest is for coming back. */
function ended({ reason, detail }: { reason: string; detail: string }): CallError {
  return new CallError(detail, codes[reason] ?? Code.Unknown, reason);
}
