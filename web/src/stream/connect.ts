import type { Client } from "@creavio/client";

import { missed } from "./listen";
import type { Asked, Told } from "./messages";
import { inTurns } from "./turns";

/**
 * Hears what happens by the one stream that all pages of a browser share: a worker's, or
 * where there is no such worker that of one page. Returns how to stop.
 */
export function connect(client: Client, hear: (told: Told) => void): () => void {
  return typeof SharedWorker === "undefined" ? inTurns(client, hear) : byWorker(hear);
}

function byWorker(hear: (told: Told) => void): () => void {
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "creavio" });
  const { port } = worker;
  port.onmessage = ({ data }: MessageEvent<Told>) => hear(data);
  const ask = (kind: Asked["kind"]): void => port.postMessage({ kind } satisfies Asked);
  const hidden = (): void => ask("bye");
  const shown = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) return;
    // A page that was put aside and is back heard nothing meanwhile.
    ask("hello");
    hear(missed);
  };
  ask("hello");
  addEventListener("pagehide", hidden);
  addEventListener("pageshow", shown);
  return () => {
    removeEventListener("pagehide", hidden);
    removeEventListener("pageshow", shown);
    hidden();
    port.close();
  };
}
