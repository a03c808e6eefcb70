import { core } from "@/i18n";
import { texts } from "@/i18n/texts";

import { en } from "./en";

/** What all settings say. */
export const { say, useSay, ready } = texts(en, { ar: async () => (await import("./ar")).ar }, core);
