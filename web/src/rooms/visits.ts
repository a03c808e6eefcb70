import { pathOf, type Place } from "@/route";

const kept = "creavio.visits";
const mostKept = 200;

/** Remembers on this device that somebody went to a place. */
export function visited(place: Place): void {
  if (place.at !== "channel" && place.at !== "direct") return;
  const visits = allVisits();
  const path = pathOf(place);
  visits[path] = { count: (visits[path]?.count ?? 0) + 1, last: Date.now() };
  const latest = Object.entries(visits).sort(([, a], [, b]) => b.last - a.last);
  localStorage.setItem(kept, JSON.stringify(Object.fromEntries(latest.slice(0, mostKept))));
}

export interface Visit {
  readonly count: number;
  readonly last: number;
}

/** Where somebody went on this device, by address. */
export function allVisits(): Record<string, Visit> {
  try {
    return JSON.parse(localStorage.getItem(kept) ?? "{}") as Record<string, Visit>;
  } catch {
    return {};
  }
}

/** How much somebody goes to a place: often and lately weighs most. */
export function weight(visit: Visit | undefined): number {
  if (visit === undefined) return 0;
  const days = (Date.now() - visit.last) / 86_400_000;
  return Math.log2(1 + visit.count) / (1 + days);
}

/** Of a community's channels the one somebody was in last; the first where they were in none. */
export function lastVisited(communityId: string, channelIds: readonly string[]): string | undefined {
  const visits = allVisits();
  const last = (channelId: string): number => visits[pathOf({ at: "channel", communityId, channelId })]?.last ?? 0;
  return channelIds.toSorted((a, b) => last(b) - last(a))[0];
}
