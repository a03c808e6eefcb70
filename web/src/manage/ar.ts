import type { Key } from "./en";

/** What the settings of a community say, in Arabic. */
export const ar: Readonly<Record<Key, string>> = {
  "manage.title": "إعدادات {name}",
  "manage.back": "العودة إلى {name}",
  "manage.community": "المجتمع",
  "overview.title": "نظرة عامة",
  "overview.name": "الاسم",
  "overview.description": "الوصف",
  "overview.forbidden": "لا يمكنك تغيير هذا هنا.",
};
