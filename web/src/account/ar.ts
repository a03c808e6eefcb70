import type { Key } from "./en";

/** What the settings of oneself say, in Arabic. */
export const ar: Readonly<Record<Key, string>> = {
  "account.title": "إعداداتك",
  "account.back": "رجوع",
  "account.you": "أنت",
  "look.title": "المظهر",
  "look.theme": "السمة",
  "look.system": "كما في النظام",
  "look.light": "فاتحة",
  "look.dark": "داكنة",
  "look.language": "اللغة",
};
