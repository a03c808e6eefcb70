import { createContext, useContext } from "react";

import type { Actions } from "@/store/actions";

const Doing = createContext<Actions | undefined>(undefined);

export const DoingProvider = Doing.Provider;

/** What one can do. */
export function useActions(): Actions {
  const actions = useContext(Doing);
  if (actions === undefined) throw new Error("outside the app");
  return actions;
}
