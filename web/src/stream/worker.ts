/// <reference lib="webworker" />
import { Client } from "@creavio/client";

import { listen } from "./listen";
import type { Asked, Told } from "./messages";

declare const self: SharedWorkerGlobalScope;

// One stream for all pages of a browser: it allows six connections to a host.
const pages = new Set<MessagePort>();
let stop: AbortController | undefined;
let open = false;

function tell(told: Told): void {
  open = told.kind === "open" || (told.kind === "event" && open);
  for (const page of pages) page.postMessage(told);
  if (told.kind === "over") stop = undefined;
}

self.onconnect = (event) => {
  const port = event.ports[0];
  if (port === undefined) return;
  port.onmessage = ({ data }: MessageEvent<Asked>) => {
    if (data.kind === "bye") {
      pages.delete(port);
      if (pages.size === 0) {
        stop?.abort();
        stop = undefined;
      }
      return;
    }
    pages.add(port);
    if (stop === undefined) {
      stop = new AbortController();
      const client = new Client(self.location.origin, { cookie: true });
      void listen(client, tell, stop.signal);
    } else if (open) {
      port.postMessage({ kind: "open" } satisfies Told);
    }
  };
};
