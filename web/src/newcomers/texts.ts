import { core } from "@/i18n";
import { texts } from "@/i18n/texts";

import { en } from "./en";

/** What newcomers of a place are told and asked. */
export const { say, useSay, ready } = texts(en, { ar: async () => (await import("./ar")).ar }, core);
