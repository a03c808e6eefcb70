import { createContext, useContext } from "react";

import type { Actions } from "@/store/actions";
import type { Session } from "@/store/session";

const Doing = createContext<Actions | undefined>(undefined);
const Coming = createContext<Session | undefined>(undefined);

export const DoingProvider = Doing.Provider;
export const SessionProvider = Coming.Provider;

/** What one can do inside. */
export function useActions(): Actions {
  const actions = useContext(Doing);
  if (actions === undefined) throw new Error("outside the app");
  return actions;
}

/** How one comes in and goes out. */
export function useSession(): Session {
  const session = useContext(Coming);
  if (session === undefined) throw new Error("outside the app");
  return session;
}
