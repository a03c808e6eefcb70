import { useCallback, useEffect, useRef, useState } from "react";

import { useHeard } from "@/stream/heard";
import { wrong } from "@/ui/wrong";

export interface Asked<T> {
  /** What was answered last; undefined until something was. */
  readonly value: T | undefined;
  /** Why nothing newer is known; undefined when all is well. */
  readonly error: string | undefined;
  /** Asks once more. */
  readonly again: () => Promise<void>;
}

/** Asks the platform for what is shown, and again when something may have been missed. */
export function useAsked<T>(ask: () => Promise<T>): Asked<T> {
  const [value, setValue] = useState<T>();
  const [error, setError] = useState<string>();
  const latest = useRef({ ask, asked: 0 });
  useEffect(() => {
    latest.current.ask = ask;
  });
  const again = useCallback(async () => {
    const asked = ++latest.current.asked;
    try {
      const answer = await latest.current.ask();
      // Only the last question counts: answers may overtake each other.
      if (asked !== latest.current.asked) return;
      setValue(() => answer);
      setError(undefined);
    } catch (thrown) {
      if (asked === latest.current.asked) setError(wrong(thrown));
    }
  }, []);
  useEffect(() => {
    void again();
    // Whoever comes back may have changed it elsewhere: opened the link of a mail, for one.
    const back = (): void => void (document.visibilityState === "visible" && again());
    document.addEventListener("visibilitychange", back);
    return () => document.removeEventListener("visibilitychange", back);
  }, [again]);
  useHeard((payload) => payload.case === "refetch" && void again());
  return { value, error, again };
}
