import { createStore } from "zustand/vanilla";

import { empty, type State } from "./state";

/** Everything that is known, for components to follow. */
export const store = createStore<State>(() => empty);

/** Changes what is known. */
export function change(how: (state: State) => State): void {
  store.setState(how, true);
}
