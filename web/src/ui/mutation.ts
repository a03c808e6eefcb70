import { CallError } from "@creavio/client";
import { type FormEvent, useRef, useState } from "react";

import { type Key, say as sayCore } from "@/i18n";

import { wrong } from "./wrong";

interface Mutation {
  readonly busy: boolean;
  /** What went wrong, to be shown; undefined when nothing did. */
  readonly error: string | undefined;
  /** What is wrong with which field, by its name in the contract. */
  readonly fields: Readonly<Record<string, string>>;
  readonly submit: (event?: FormEvent) => void;
}

/**
 * Something a form does: once at a time, and what goes wrong is told in the app's words.
 * `known` names the sentence of `say` for a reason.
 */
export function useMutation(work: () => Promise<void>, known?: Readonly<Record<string, Key>>): Mutation;
export function useMutation<K extends string>(
  work: () => Promise<void>,
  known: Readonly<Record<string, K>>,
  say: (key: K) => string,
): Mutation;
export function useMutation(
  work: () => Promise<void>,
  known: Readonly<Record<string, string>> = {},
  say: (key: never) => string = sayCore,
): Mutation {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const [fields, setFields] = useState<Readonly<Record<string, string>>>({});
  // What is shown follows a moment later: by that, a second press would be done twice, and one
  // that comes just afterwards not at all.
  const working = useRef(false);
  const submit = (event?: FormEvent): void => {
    event?.preventDefault();
    if (working.current) return;
    working.current = true;
    setBusy(true);
    setError(undefined);
    setFields({});
    work()
      .catch((thrown: unknown) => {
        const key = thrown instanceof CallError ? known[thrown.reason] : undefined;
        if (thrown instanceof CallError) setFields(thrown.fields);
        setError(key === undefined ? wrong(thrown) : say(key as never));
      })
      .finally(() => {
        working.current = false;
        setBusy(false);
      });
  };
  return { busy, error, fields, submit };
}
