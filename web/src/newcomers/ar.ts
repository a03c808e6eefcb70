import type { Key } from "./en";

/** What newcomers of a place are told and asked, in Arabic. */
export const ar: Readonly<Record<Key, string>> = {
  "accept.title": "قبل أن تشارك في {name}",
  "accept.lead": "يمكنك التجول أولًا. الكتابة تنتظر هذا.",
  "accept.accept": "قبول القواعد",
  "accept.goOn": "تابع",
  "accept.others": "تغيّرت القواعد في هذه الأثناء. ها هي كما هي الآن.",
  "accept.required": "بقي سؤال يحتاج إلى جواب.",
  "accept.needed": "يحتاج إلى جواب",
};
