import type { Client } from "@creavio/client";

import { listen } from "./listen";
import type { Asked, Told } from "./messages";

/**
 * Hears what happens: by the one stream all pages of a browser share, or where there is
 * no such worker by one of this page's own. Returns how to stop.
 */
export function connect(client: Client, hear: (told: Told) => void): () => void {
  if (typeof SharedWorker === "undefined") {
    const stop = new AbortController();
    void listen(client, hear, stop.signal).catch(() => {});
    return () => stop.abort();
  }
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "creavio" });
  const { port } = worker;
  port.onmessage = ({ data }: MessageEvent<Told>) => hear(data);
  port.postMessage({ kind: "hello" } satisfies Asked);
  const bye = (): void => port.postMessage({ kind: "bye" } satisfies Asked);
  addEventListener("pagehide", bye);
  return () => {
    removeEventListener("pagehide", bye);
    bye();
    port.close();
  };
}
