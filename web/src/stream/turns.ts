import type { Client } from "@creavio/client";

import { listen, missed } from "./listen";
import type { Told } from "./messages";

const name = "creavio.stream";
type Said = Told | { readonly kind: "hello" };

/**
 * One page holds the stream and tells the others; when it goes, the next takes its turn.
 * A browser allows six connections to a host, and each page has some of its own.
 */
export function inTurns(client: Client, hear: (told: Told) => void): () => void {
  const stop = new AbortController();
  const others = new BroadcastChannel(name);
  let open = false;
  /** Whether another page led before. */
  let led = false;
  const follow = ({ data }: MessageEvent<Said>): void => {
    if (data.kind === "hello") return;
    led ||= data.kind === "open";
    hear(data);
  };
  const lead = async (): Promise<void> => {
    others.onmessage = ({ data }: MessageEvent<Said>) => {
      if (data.kind === "hello" && open) others.postMessage({ kind: "open" } satisfies Told);
    };
    const tell = (told: Told): void => {
      others.postMessage(told);
      hear(told);
    };
    await listen(
      client,
      (told) => {
        open = told.kind === "open" || (told.kind === "event" && open);
        tell(told);
        if (told.kind !== "open" || !led) return;
        led = false;
        // Whoever led before may have been told something that nobody else was, and from
        // then until now nobody listened.
        tell(missed);
      },
      stop.signal,
    );
  };
  others.onmessage = follow;
  others.postMessage({ kind: "hello" } satisfies Said);
  navigator.locks.request(name, { signal: stop.signal }, lead).catch(() => {
    // It was stopped before its turn came.
  });
  return () => {
    stop.abort();
    others.close();
  };
}
