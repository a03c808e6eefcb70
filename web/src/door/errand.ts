import type { ProviderRedirect } from "@creavio/client/auth/v1/identity_service";

/** Why somebody went to a provider. */
export type Why = "sign-in" | "link";

interface Errand {
  readonly why: Why;
  readonly stateToken: string;
}

const kept = "creavio.errand";

/** Sends this window to a provider; what it comes back with is good in this window alone. */
export function leaveFor({ authorizationUrl, stateToken }: ProviderRedirect, why: Why): void {
  sessionStorage.setItem(kept, JSON.stringify({ why, stateToken } satisfies Errand));
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
