import type { ProviderRedirect } from "@creavio/client/auth/v1/identity_service";

/** Why somebody went to a provider. */
export type Why = "sign-in" | "link" | "prove";

interface Errand {
  readonly why: Why;
  readonly stateToken: string;
  /** Where they were. */
  readonly from: string;
}

const kept = "creavio.errand";

/** Sends this window to a provider; what it comes back with is good in this window alone. */
export function leaveFor({ authorizationUrl, stateToken }: ProviderRedirect, why: Why): void {
  sessionStorage.setItem(kept, JSON.stringify({ why, stateToken, from: location.pathname } satisfies Errand));
  leave(authorizationUrl);
}

/** Why this window went away; undefined when it did not, or was told so before. */
export function takeErrand(): Errand | undefined {
  const found = sessionStorage.getItem(kept);
  sessionStorage.removeItem(kept);
  return found === null ? undefined : (JSON.parse(found) as Errand);
}

/** Whether an address leads somewhere else, and is no script. */
export function leadsAway(address: string): boolean {
  try {
    return !["javascript:", "data:", "blob:", "vbscript:", "about:", "file:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
}

/** Sends this window to an address that leads away; nothing leads back to where it was. */
export function leave(address: string): void {
  if (leadsAway(address)) location.replace(address);
}

let shown: { readonly token: string; readonly until: number } | undefined;

/** Keeps that somebody showed at a provider who they are, for as long as that is good. */
export function keepShown(token: string, until: number): void {
  shown = { token, until };
}

/** Whether somebody showed it just now. */
export function isShown(): boolean {
  return shown !== undefined && shown.until > Date.now();
}

/** What shows it: good once. */
export function takeShown(): string {
  const token = shown?.token ?? "";
  shown = undefined;
  return token;
}
