import { useEffect, useRef } from "react";

import type { Event } from "@creavio/client/gateway/v1/gateway_event";

type Payload = Event["payload"];

const ears = new Set<(payload: Payload) => void>();

/** Tells what happened to whoever listens besides the store. */
export function tell(payload: Payload): void {
  for (const hear of ears) hear(payload);
}

/** Hears what happens from now on. Returns how to stop. */
export function hear(how: (payload: Payload) => void): () => void {
  ears.add(how);
  return () => void ears.delete(how);
}

/** Hears what happens while the component is shown. */
export function useHeard(how: (payload: Payload) => void): void {
  const latest = useRef(how);
  useEffect(() => {
    latest.current = how;
  });
  useEffect(() => hear((payload) => latest.current(payload)), []);
}
