import type { User } from "@creavio/client/user/v1/user";

import type { State } from "./state";

/** What a person is called; what to say of who is not known yet, or not any more. */
export function nameOf(user: User | undefined, unknown = "…"): string {
  return user?.displayName || user?.handle || unknown;
}

/** What a conversation is called: its name, or who else is in it. */
export function nameOfConversation(state: Pick<State, "conversations" | "me" | "users">, id: string): string {
  const one = state.conversations[id];
  if (one === undefined) return "";
  if (one.name !== "") return one.name;
  const others = one.memberIds.filter((member) => member !== state.me?.id);
  return others.map((member) => nameOf(state.users[member])).join(", ");
}
