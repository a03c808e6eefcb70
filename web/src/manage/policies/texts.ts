import { texts } from "@/i18n/texts";

import { say as sayManage, useSay as useManage, ready as manage } from "../texts";
import { en } from "./en";

/** What is said of who may what, besides what the settings of a community say. */
export const { say, useSay, ready } = texts(en, { ar: async () => (await import("./ar")).ar }, { say: sayManage, useSay: useManage, ready: manage });
