import { Code } from "@connectrpc/connect";
import { CallError, type Client } from "@creavio/client";

import type { Told } from "./messages";

/** Tells everything the stream does, until the session or the signal ends it. */
export async function listen(client: Client, tell: (told: Told) => void, signal: AbortSignal): Promise<void> {
  const stream = client.events("", signal);
  stream.onLost = () => tell({ kind: "lost" });
  try {
    for await (const { payload } of stream) {
      if (payload.case === "ready") tell({ kind: "open" });
      else tell({ kind: "event", payload });
    }
  } catch (thrown) {
    const ended = thrown instanceof CallError && thrown.code === Code.Unauthenticated;
    tell({ kind: ended ? "over" : "lost" });
    if (!ended) throw thrown;
  }
}
