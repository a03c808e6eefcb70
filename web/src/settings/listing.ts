import { useCallback, useEffect, useRef, useState } from "react";

import { wrong } from "@/ui/wrong";

interface Page<T> {
  readonly items: readonly T[];
  /** Asks for the next page; empty on the last. */
  readonly next: string;
}

interface Listing<T> {
  /** Undefined until the first page is there. */
  readonly items: readonly T[] | undefined;
  readonly error: string | undefined;
  /** Fetches the next page; undefined when there is none. */
  readonly more: (() => void) | undefined;
  readonly again: () => void;
  readonly change: (how: (items: readonly T[]) => readonly T[]) => void;
}

/** A list that is fetched page by page, anew when `fetch` is another. */
export function useListing<T>(fetch: (pageToken: string) => Promise<Page<T>>): Listing<T> {
  const [items, setItems] = useState<readonly T[]>();
  const [next, setNext] = useState("");
  const [error, setError] = useState<string>();
  const asked = useRef(0);
  const load = useCallback(
    (token: string) => {
      const number = (asked.current += 1);
      fetch(token).then(
        (page) => {
          if (number !== asked.current) return;
          setItems((known) => (token === "" ? page.items : [...(known ?? []), ...page.items]));
          setNext(page.next);
          setError(undefined);
        },
        (thrown: unknown) => number === asked.current && setError(wrong(thrown)),
      );
    },
    [fetch],
  );
  useEffect(() => {
    setItems(undefined);
    load("");
    return () => void (asked.current += 1);
  }, [load]);
  return {
    items,
    error,
    more: next === "" ? undefined : () => load(next),
    again: () => load(""),
    change: (how) => setItems((known) => (known === undefined ? known : how(known))),
  };
}
