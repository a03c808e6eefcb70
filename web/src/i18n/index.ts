import { useSyncExternalStore } from "react";

import { en, type Key } from "./en";

export type { Key };
export const languages = { en: "English", ar: "العربية" } as const;
export type Language = keyof typeof languages;

const kept = "creavio.language";
const loaders: Record<Language, () => Promise<Readonly<Record<Key, string>>>> = {
  en: async () => en,
  ar: async () => (await import("./ar")).ar,
};

let language: Language = "en";
let catalogue: Readonly<Record<Key, string>> = en;
const heard = new Set<() => void>();

/** The language that is shown. */
export function currentLanguage(): Language {
  return language;
}

/** Shows everything in a language from now on, and on this device the next time. */
export async function speak(wanted: Language): Promise<void> {
  catalogue = await loaders[wanted]();
  language = wanted;
  localStorage.setItem(kept, wanted);
  document.documentElement.lang = wanted;
  document.documentElement.dir = wanted === "ar" ? "rtl" : "ltr";
  for (const tell of heard) tell();
}

/** The language of before, or the first of the browser's that there is. */
export async function speakAsBefore(): Promise<void> {
  const asked = [localStorage.getItem(kept), ...navigator.languages];
  const found = asked
    .map((one) => one?.slice(0, 2))
    .find((one): one is Language => one !== undefined && one in languages);
  await speak(found ?? "en");
}

/** A sentence, with its `{blanks}` filled. */
export function say(key: Key, blanks: Readonly<Record<string, string | number>> = {}): string {
  return catalogue[key].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(blanks[name] ?? whole));
}

/** `say`, in a component that is shown again when the language changes. */
export function useSay(): typeof say {
  useSyncExternalStore(
    (tell) => {
      heard.add(tell);
      return () => heard.delete(tell);
    },
    () => language,
    () => "en",
  );
  return say;
}
