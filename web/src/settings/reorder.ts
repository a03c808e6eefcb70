import { type KeyboardEvent, type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Where something is let go: before or after a row. */
export interface Drop {
  readonly id: string;
  readonly after: boolean;
}

interface Reorder {
  /** What is carried, and the row it would be put beside. */
  readonly carried: string | undefined;
  readonly over: Drop | undefined;
  /** For the element that is the row. */
  readonly row: (id: string) => { readonly "data-row": string };
  /** For what takes the row: by pointer, or with Alt and the arrows. */
  readonly handle: (id: string) => {
    readonly "data-handle": "";
    readonly onKeyDown: (event: KeyboardEvent) => void;
  };
  readonly grip: (id: string) => { readonly onPointerDown: (event: PointerEvent) => void };
}

/**
 * Rows that people put into another order, by dragging and by keyboard. `step` moves one
 * by one place, `drop` puts one beside another; the focus stays on what was moved.
 */
export function useReorder(step: (id: string, by: -1 | 1) => void, drop: (id: string, to: Drop) => void): Reorder {
  const [carried, setCarried] = useState<string>();
  const [over, setOver] = useState<Drop>();
  const moved = useRef<string>(undefined);
  // A row that is moved in the document loses the focus; what somebody went to since keeps it.
  useLayoutEffect(() => {
    const there = moved.current === undefined ? null : document.querySelector<HTMLElement>(`[data-row="${moved.current}"] [data-handle]`);
    if (document.activeElement === document.body) there?.focus();
    else if (document.activeElement !== there) moved.current = undefined;
  });
  useEffect(() => {
    if (carried === undefined) return;
    let to: Drop | undefined;
    const move = (event: globalThis.PointerEvent): void => {
      const row = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>("[data-row]");
      const id = row?.dataset["row"];
      const box = row?.getBoundingClientRect();
      to = id === undefined || box === undefined || id === carried ? undefined : { id, after: event.clientY > box.top + box.height / 2 };
      setOver(to);
    };
    const end = (): void => {
      setCarried(undefined);
      setOver(undefined);
    };
    const up = (): void => {
      end();
      if (to !== undefined) drop(carried, to);
    };
    const key = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      end();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", end);
    addEventListener("keydown", key, true);
    return () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", end);
      removeEventListener("keydown", key, true);
    };
  }, [carried, drop]);
  return {
    carried,
    over,
    row: (id) => ({ "data-row": id }),
    handle: (id) => ({
      "data-handle": "",
      onKeyDown: (event) => {
        if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) {
          moved.current = undefined;
          return;
        }
        event.preventDefault();
        moved.current = id;
        step(id, event.key === "ArrowUp" ? -1 : 1);
      },
    }),
    grip: (id) => ({
      onPointerDown: (event) => {
        if (event.button !== 0) return;
        event.preventDefault();
        moved.current = undefined;
        setCarried(id);
      },
    }),
  };
}

/** `ids` with one of them put beside another. */
export function placed(ids: readonly string[], id: string, to: Drop): string[] {
  const others = ids.filter((one) => one !== id);
  const at = others.indexOf(to.id);
  if (at < 0) return [...ids];
  others.splice(to.after ? at + 1 : at, 0, id);
  return others;
}

/** `ids` with one of them moved by one place; the same when there is no such place. */
export function stepped(ids: readonly string[], id: string, by: -1 | 1): readonly string[] {
  const neighbour = ids[ids.indexOf(id) + by];
  return neighbour === undefined || !ids.includes(id) ? ids : placed(ids, id, { id: neighbour, after: by === 1 });
}
