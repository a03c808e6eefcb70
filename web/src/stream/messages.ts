import type { Event } from "@creavio/client/gateway/v1/gateway_event";

/** What the stream's worker tells every page. */
export type Told =
  | { readonly kind: "event"; readonly payload: Event["payload"] }
  | { readonly kind: "open" }
  | { readonly kind: "lost" }
  | { readonly kind: "over" };

/** What a page tells the worker. */
export type Asked = { readonly kind: "hello" } | { readonly kind: "bye" };
