import { en, type Key } from "./en";
import { texts } from "./texts";

export type { Key };
export { currentLanguage, type Language, languages, speak, speakAsBefore } from "./texts";

/** What is said everywhere, and at the door. */
export const core = texts(en, { ar: async () => (await import("./ar")).ar });
export const { say, useSay } = core;
