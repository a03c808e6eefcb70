import { Code } from "@connectrpc/connect";
import { CallError, type Client } from "@creavio/client";

import type { Told } from "./messages";

/** Milliseconds after which a stream that failed for a reason of its own is begun anew. */
const pause = 5000;

/** Tells everything the stream does, until the session or the signal ends it. */
export async function listen(client: Client, tell: (told: Told) => void, signal: AbortSignal): Promise<void> {
  for (let begun = 0; !signal.aborted; begun += 1) {
    const stream = client.events("", signal);
    stream.onLost = () => tell({ kind: "lost" });
    let opened = false;
    try {
      for await (const { payload } of stream) {
        if (payload.case !== "ready") {
          tell({ kind: "event", payload });
          continue;
        }
        tell({ kind: "open" });
        // Between the stream before and this one nobody listened.
        if (begun > 0 && !opened) tell(missed);
        opened = true;
      }
    } catch (thrown) {
      if (thrown instanceof CallError && thrown.code === Code.Unauthenticated) {
        tell({ kind: "over" });
        return;
      }
      tell({ kind: "lost" });
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** Something may have been missed: what is shown is to be fetched. */
export const missed: Told = { kind: "event", payload: { case: "refetch", value: {} as never } };
