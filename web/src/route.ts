import { useSyncExternalStore } from "react";

/** What is shown, by its address. */
export type Place =
  | { readonly at: "home" }
  | { readonly at: "sign-in" }
  /** The way back from a provider one signs in at. */
  | { readonly at: "provider"; readonly provider: string }
  | { readonly at: "authorize" }
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
      return second === "" ? { at: first } : { at: "provider", provider: second };
    case "oauth2":
      return second === "authorize" ? { at: "authorize" } : { at: "home" };
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
    case "provider":
      return joined("sign-in", place.provider);
    case "authorize":
      return "/oauth2/authorize";
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

const wanted = "creavio.wanted";

/** Keeps the address that is shown for after somebody signed in. */
export function keepAddress(): void {
  sessionStorage.setItem(wanted, location.href);
}

/** What was kept is not wanted any more. */
export function forgetAddress(): void {
  sessionStorage.removeItem(wanted);
}

/** Shows the address that was kept, once; home where none was. */
export function goOn(): void {
  const address = sessionStorage.getItem(wanted) ?? "/";
  forgetAddress();
  history.replaceState(null, "", address);
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
