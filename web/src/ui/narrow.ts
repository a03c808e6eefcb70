import { useSyncExternalStore } from "react";

/** Whether the window is as narrow as a phone. */
export function useNarrow(): boolean {
  const query = "(max-width: 640px)";
  return useSyncExternalStore(
    (tell) => {
      const narrow = matchMedia(query);
      narrow.addEventListener("change", tell);
      return () => narrow.removeEventListener("change", tell);
    },
    () => matchMedia(query).matches,
  );
}
