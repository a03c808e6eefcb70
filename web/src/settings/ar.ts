import type { Key } from "./en";

/** What all settings say, in Arabic. */
export const ar: Readonly<Record<Key, string>> = {
  "settings.toList": "العودة إلى الإعدادات",
  "settings.undo": "تراجع",
  "settings.unsaved": "لم تُحفظ التغييرات",
  "settings.save": "حفظ التغييرات",
  "settings.find": "ابحث بالاسم",
  "settings.nothing": "لا شيء هنا عن «{what}»",
  "settings.more": "عرض المزيد",
  "settings.again": "حاول مرة أخرى",
};
