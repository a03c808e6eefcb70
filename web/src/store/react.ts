import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";

import type { State } from "./state";
import { store } from "./store";

/** A part of what is known; the component is shown again when that part changes. */
export function useKnown<T>(part: (state: State) => T): T {
  return useStore(store, part);
}

/** Some of what is known; the component is shown again when one of these parts changes. */
export function useParts<K extends keyof State>(...names: readonly K[]): Pick<State, K> {
  return useStore(
    store,
    useShallow((state) => Object.fromEntries(names.map((name) => [name, state[name]])) as Pick<State, K>),
  );
}
