import { en, type Key } from "./en";
import { texts } from "./texts";

export type { Key };
export { currentLanguage, type Language, languages, speak, speakAsBefore } from "./texts";

/** What the door and the rooms say. */
export const { say, useSay } = texts(en, { ar: async () => (await import("./ar")).ar });
