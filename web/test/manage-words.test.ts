import { create } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";

import { AuditAction, AuditEntrySchema } from "@creavio/client/community/v1/audit_entry";
import { Permission } from "@creavio/client/options/v1/permission";

import { counted } from "@/i18n/plural";
import { speak } from "@/i18n";
import { ar } from "@/manage/ar";
import { changesOf, peopleIn, permissionsIn, sentenceOf } from "@/manage/audit-words";
import { colours, hueOfColour } from "@/manage/colour";
import { en } from "@/manage/en";
import { localOf, timeOf } from "@/manage/local-time";
import { groups, inChannels, wordsOf } from "@/manage/permissions";

afterEach(() => speak("en"));

test("every deed of the log has a sentence and a name", () => {
  for (const action of Object.values(AuditAction)) {
    if (typeof action !== "number" || action === AuditAction.UNSPECIFIED) continue;
    const { key } = sentenceOf(create(AuditEntrySchema, { action }), () => "");
    expect(en, AuditAction[action]).toHaveProperty([key]);
    expect(en, AuditAction[action]).toHaveProperty([`audit.kind.${action}`]);
  }
});

test("a deed of a later version is told as one that is not known", () => {
  const entry = create(AuditEntrySchema, { action: 999 as AuditAction, targetId: "usr_ken" });
  expect(sentenceOf(entry, () => "Ken")).toEqual({ key: "audit.did.other", blanks: { target: "Ken" } });
});

test("fields that tell people nothing are left out", () => {
  const changes = [
    { field: "name", before: "a", after: "b" },
    { field: "position", before: "1", after: "2" },
  ];
  expect(changesOf(create(AuditEntrySchema, { changes }))).toEqual([{ field: "audit.field.name", before: "a", after: "b" }]);
});

test("what a role was allowed is told as people call it, and whom an override is for by name", () => {
  expect(permissionsIn("SEND_MESSAGES, VIEW_CHANNEL")).toEqual([Permission.SEND_MESSAGES, Permission.VIEW_CHANNEL]);
  expect(permissionsIn("")).toEqual([]);
  expect(permissionsIn("OF_LATER, VIEW_CHANNEL")).toEqual([Permission.VIEW_CHANNEL]);
  const changes = [{ field: "user_id", before: "", after: "usr_ken" }];
  const entry = create(AuditEntrySchema, { actorId: "usr_mira", targetId: "chn_1", changes });
  expect(peopleIn(entry)).toEqual(["usr_mira", "usr_ken"]);
});

test("every permission of a community is in a group and has words", () => {
  const shown = groups.flatMap((group) => group.permissions);
  const there = Object.values(Permission).filter((one) => typeof one === "number" && one !== Permission.UNSPECIFIED && one !== Permission.ADMINISTRATE);
  expect(new Set(shown)).toEqual(new Set(there));
  expect(shown.length).toBe(there.length);
  for (const one of shown) {
    expect(en).toHaveProperty([wordsOf(one).title]);
    expect(en).toHaveProperty([wordsOf(one).hint]);
  }
  for (const one of inChannels) expect(shown).toContain(one);
});

test("sentences with counts have as many forms as their language", () => {
  for (const [key, sentence] of Object.entries(en)) {
    if (!sentence.includes("|")) continue;
    expect(sentence.split("|"), key).toHaveLength(2);
    expect(ar[key as keyof typeof ar].split("|"), key).toHaveLength(6);
  }
});

test("a count chooses its form in the language that is shown", async () => {
  expect(counted("one|many", 1)).toBe("one");
  expect(counted("one|many", 0)).toBe("many");
  await speak("ar");
  const forms = "zero|one|two|few|many|other";
  expect([0, 1, 2, 3, 11, 100].map((count) => counted(forms, count))).toEqual(forms.split("|"));
});

test("blanks are the same in both languages", () => {
  const blanks = (sentence: string): Set<string> => new Set(sentence.match(/\{\w+\}/g));
  for (const [key, sentence] of Object.entries(en)) expect(blanks(ar[key as keyof typeof ar]), key).toEqual(blanks(sentence));
});

test("a colour is shown in the nearest hue, none in none", () => {
  expect(colours.map(hueOfColour)).toEqual(colours.map((_, at) => `hue-${at}`));
  expect(hueOfColour(0)).toBe("");
  expect(hueOfColour(0xff0000)).toBe("hue-0");
  expect(hueOfColour(0x808080)).toBe("");
});

test("the clock of a time zone is read and written, over the change to winter time too", () => {
  const zone = "Europe/Berlin";
  for (const local of ["2026-07-01T18:00", "2026-10-25T01:30", "2026-10-25T03:30", "2026-12-24T23:59"]) {
    expect(localOf(timeOf(local, zone), zone)).toBe(local);
  }
  expect(timeOf("2026-07-01T18:00", zone).toISOString()).toBe("2026-07-01T16:00:00.000Z");
  // Twice in that night: the earlier.
  expect(timeOf("2026-10-25T02:30", zone).toISOString()).toBe("2026-10-25T00:30:00.000Z");
  // Never in that night: right after it.
  expect(localOf(timeOf("2026-03-29T02:30", zone), zone)).toBe("2026-03-29T03:30");
});
