import { expect, test } from "vitest";

import { ar as policiesAr } from "@/manage/policies/ar";
import { en as policiesEn } from "@/manage/policies/en";
import { ar as roomsAr } from "@/rooms/ar";
import { en as roomsEn } from "@/rooms/en";

const parts: readonly (readonly [string, Readonly<Record<string, string>>, Readonly<Record<string, string>>])[] = [
  ["rooms", roomsEn, roomsAr],
  ["policies", policiesEn, policiesAr],
];

test.each(parts)("sentences of %s with counts have as many forms as their language", (_, en, ar) => {
  for (const [key, sentence] of Object.entries(en)) {
    if (!sentence.includes("|")) continue;
    expect(sentence.split("|"), key).toHaveLength(2);
    expect(ar[key]?.split("|"), key).toHaveLength(6);
  }
});

test.each(parts)("blanks of %s are the same in both languages", (_, en, ar) => {
  const blanks = (sentence = ""): Set<string> => new Set(sentence.match(/\{\w+\}/g));
  for (const [key, sentence] of Object.entries(en)) expect(blanks(ar[key]), key).toEqual(blanks(sentence));
});
