import { useSyncExternalStore } from "react";

export const languages = { en: "English", ar: "العربية" } as const;
export type Language = keyof typeof languages;
type Catalogue<K extends string> = Readonly<Record<K, string>>;
type Loaders<K extends string> = Readonly<Record<Exclude<Language, "en">, () => Promise<Catalogue<K>>>>;
export type Blanks = Readonly<Record<string, string | number>>;

const kept = "creavio.language";
let language: Language = "en";
const heard = new Set<() => void>();
const loaders = new Set<(wanted: Language) => Promise<() => void>>();

/** The language that is shown. */
export function currentLanguage(): Language {
  return language;
}

/** Shows everything in a language from now on, and on this device the next time. */
export async function speak(wanted: Language): Promise<void> {
  const loaded = await Promise.all([...loaders].map((load) => load(wanted)));
  for (const take of loaded) take();
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

export interface Texts<K extends string> {
  /** A sentence, with its `{blanks}` filled. */
  readonly say: (key: K, blanks?: Blanks) => string;
  /** `say`, in a component that is shown again when the language changes. */
  readonly useSay: () => Texts<K>["say"];
  /** Resolves when the sentences are there in the language that is shown; a part that is loaded late waits for it. */
  readonly ready: () => Promise<void>;
}

/**
 * The sentences of a part of the app, and those of `base` with them. They are loaded with
 * it, other languages when they are spoken.
 */
export function texts<K extends string, B extends string = never>(english: Catalogue<K>, others: Loaders<K>, base?: Texts<B>): Texts<K | B> {
  let catalogue = english;
  const load = async (wanted: Language): Promise<() => void> => {
    const loaded = wanted === "en" ? english : await others[wanted]();
    return () => (catalogue = loaded);
  };
  loaders.add(load);
  const say = (key: K | B, blanks: Blanks = {}): string =>
    key in catalogue
      ? catalogue[key as K].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(blanks[name] ?? whole))
      : (base?.say(key as B, blanks) ?? key);
  const useSay = (): typeof say => {
    useSyncExternalStore(onLanguage, currentLanguage, () => "en");
    return say;
  };
  return { say, useSay, ready: async () => void (await load(language))() };
}

/** Told when another language is shown. Returns how to stop. */
export function onLanguage(tell: () => void): () => void {
  heard.add(tell);
  return () => heard.delete(tell);
}
