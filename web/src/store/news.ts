import type { State } from "./state";

/** What there is to be seen in one or more channels. */
export interface News {
  readonly unread: boolean;
  readonly mentions: number;
}

export function newsOf(reads: State["reads"], ids: readonly string[]): News {
  let unread = false;
  let mentions = 0;
  for (const id of ids) {
    const read = reads[id];
    if (read === undefined) continue;
    unread ||= read.unreadCount > 0;
    mentions += read.mentionCount;
  }
  return { unread, mentions };
}
