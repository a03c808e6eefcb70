import { useStore } from "zustand";

import type { State } from "./state";
import { store } from "./store";

/** A part of what is known; the component is shown again when that part changes. */
export function useKnown<T>(part: (state: State) => T): T {
  return useStore(store, part);
}
