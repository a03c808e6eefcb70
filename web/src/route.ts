import { useSyncExternalStore } from "react";

/** What is shown, by its address. */
export type Place =
  | { readonly at: "home" }
  | { readonly at: "sign-in" }
  | { readonly at: "sign-up" }
  | { readonly at: "forgot-password" }
  | { readonly at: "reset-password" }
  | { readonly at: "verify-email" }
  | { readonly at: "catch-up" }
  | { readonly at: "invite"; readonly code: string }
  | { readonly at: "channel"; readonly communityId: string; readonly channelId: string; readonly threadId?: string }
  | { readonly at: "direct"; readonly conversationId: string }
  | { readonly at: "settings"; readonly page: string; readonly item: string }
  | { readonly at: "manage"; readonly communityId: string; readonly page: string; readonly item: string };

export function placeOf(path: string): Place {
  const [first = "", second = "", third = "", fourth = "", fifth = ""] = path.split("/").filter((part) => part !== "").map(decoded);
  switch (first) {
    case "sign-in":
    case "sign-up":
    case "forgot-password":
    case "reset-password":
    case "verify-email":
    case "catch-up":
      return { at: first };
    case "invite":
      return { at: "invite", code: second };
    case "settings":
      return { at: "settings", page: second, item: third };
    case "c":
      if (third === "settings") return { at: "manage", communityId: second, page: fourth, item: fifth };
      return { at: "channel", communityId: second, channelId: third, ...(fourth === "" ? {} : { threadId: fourth }) };
    case "messages":
      return { at: "direct", conversationId: second };
    default:
      return { at: "home" };
  }
}

export function pathOf(place: Place): string {
  switch (place.at) {
    case "home":
      return "/";
    case "invite":
      return `/invite/${encodeURIComponent(place.code)}`;
    case "channel":
      return joined("c", place.communityId, place.channelId, place.threadId ?? "");
    case "direct":
      return place.conversationId === "" ? "/messages" : `/messages/${place.conversationId}`;
    case "settings":
      return joined("settings", place.page, place.item);
    case "manage":
      return joined("c", place.communityId, "settings", place.page, place.item);
    default:
      return `/${place.at}`;
  }
}

function joined(...parts: readonly string[]): string {
  return `/${parts.filter((part) => part !== "").map(encodeURIComponent).join("/")}`;
}

const moved = new Set<() => void>();

/** Shows another place, and a message of it, and remembers this one for the way back. */
export function go(place: Place, how: "push" | "replace" = "push", messageId = ""): void {
  const path = pathOf(place) + (messageId === "" ? "" : `#${messageId}`);
  if (path === location.pathname + location.hash) return;
  if (how === "push") history.pushState(null, "", path);
  else history.replaceState(null, "", path);
  for (const tell of moved) tell();
}

/** The address that is shown, as it changes. */
export function usePath(): string {
  return useSyncExternalStore(follow, () => location.pathname, () => "/");
}

/** The message that the address points to; empty for none. */
export function useTarget(): string {
  return useSyncExternalStore(follow, () => (location.hash.startsWith("#msg_") ? location.hash.slice(1) : ""), () => "");
}

function follow(tell: () => void): () => void {
  moved.add(tell);
  addEventListener("popstate", tell);
  addEventListener("hashchange", tell);
  return () => {
    moved.delete(tell);
    removeEventListener("popstate", tell);
    removeEventListener("hashchange", tell);
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
