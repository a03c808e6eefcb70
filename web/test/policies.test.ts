import { readFileSync } from "node:fs";
import path from "node:path";

import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { type Channel, ChannelSchema } from "@creavio/client/community/v1/channel";
import { Permission } from "@creavio/client/options/v1/permission";
import { PolicyFailureSchema } from "@creavio/client/rbac/v1/policy_service";
import { type ChannelOverride, ChannelOverrideSchema, type Role, RoleKind, RoleSchema } from "@creavio/client/rbac/v1/role";

import { casesOf, example, most, type Names } from "@/manage/policies/cases";
import { read, type Value } from "@/manage/policies/file";
import { outcomesOf } from "@/manage/policies/outcome";

const { VIEW_COMMUNITY, VIEW_CHANNEL, SEND_MESSAGES, ADD_REACTIONS, PIN_MESSAGES, MANAGE_ROLES } = Permission;

const role = (id: string, kind: RoleKind, allow: Permission[] = [], deny: Permission[] = []): Role => create(RoleSchema, { id: `rol_${id}`, name: id, kind, allow, deny });
const owner = role("owner", RoleKind.OWNER);
const [moderator, helper, muted] = [role("moderator", RoleKind.CUSTOM), role("helper", RoleKind.CUSTOM, [SEND_MESSAGES]), role("muted", RoleKind.CUSTOM, [], [SEND_MESSAGES])];
const member = role("member", RoleKind.MEMBER, [VIEW_COMMUNITY, VIEW_CHANNEL, SEND_MESSAGES, ADD_REACTIONS]);
const channels: Channel[] = ["general", "announcements", "backstage"].map((name) => create(ChannelSchema, { id: `chn_${name}`, name }));
const names: Names = { roles: [owner, moderator, helper, muted, member], channels, called: (one) => (one.kind === RoleKind.MEMBER ? "Everyone" : one.name) };

/** A value as JSON has it. */
function bare(value: Value): unknown {
  if (value.is === "text") return value.text;
  if (value.is === "list") return value.items.map(bare);
  return Object.fromEntries(value.entries.map((one) => [one.key, bare(one.value)]));
}

test.each([
  ["a:\n  b: c\n  d:\n    - e\n    - f", { a: { b: "c", d: ["e", "f"] } }],
  ["a: {b: {deny: [c]}, d: {}} # a comment", { a: { b: { deny: ["c"] }, d: {} } }],
  // All that is no list and no mapping is a text, and nothing is one without letters.
  ["a:\nb: ~\nc: 1\nd: yes\ne: 2020-01-01", { a: "", b: "~", c: "1", d: "yes", e: "2020-01-01" }],
  ["a: قناة", { a: "قناة" }],
])("%j is read", (text, value) => {
  expect(bare(read(text))).toEqual(value);
});

test.each([
  ["a: b\na: c", 2, "file.twice"],
  ["a:\n\tb: c", 2, "file.tab"],
  ["a:\n  [b, c", 2, "file.depth"],
  ["a: 'b", 1, "file.open"],
  ["a: &x [b]\nc: [*x, *x]", 2, "file.kind"],
  ["[a, b]: c", 1, "file.kind"],
  ["a: b: c", 1, "file.other"],
  ["a:\n    b: c\n  d: e", 3, "file.depth"],
])("%j is refused with its line", (text, line, why) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ line, why }));
});

test("the example of the documentation is read whole", () => {
  const text = readFileSync(path.join(import.meta.dirname, "../../docs/examples/policy.yaml"), "utf8");
  const { cases, problems, passedOver } = casesOf(text, names);
  expect(problems).toEqual([]);
  expect(passedOver).toBe(true);
  expect(cases).toHaveLength(8);
  expect(cases[0]).toMatchObject({
    name: "a newcomer talks",
    roleIds: [],
    channelId: "chn_general",
    may: [VIEW_CHANNEL, SEND_MESSAGES, ADD_REACTIONS],
    mayNot: [PIN_MESSAGES, Permission.MANAGE_MESSAGES],
  });
  expect(cases[3]).toMatchObject({ roleIds: ["rol_muted", "rol_helper"] });
  expect(cases[6]).toMatchObject({ roleIds: ["rol_moderator"], channelId: "" });
  expect(cases[7]?.roleIds).toEqual(["rol_owner", "rol_muted"]);
});

test("a case names roles as people see them, by what they are called or by what they are", () => {
  const { cases, problems } = casesOf("cases: [{roles: [Everyone, rol_helper, MUTED, helper], channel: chn_backstage, may: [VIEW_CHANNEL]}]", names);
  expect(problems).toEqual([]);
  // What every member has goes without saying, and nothing is said twice.
  expect(cases[0]).toMatchObject({ roleIds: ["rol_helper", "rol_muted"], channelId: "chn_backstage" });
});

test("everything that is wrong is told, with its line", () => {
  const text = `cases:
  - name: nothing
    roles: [nobody]
  - channel: cellar
    may: [SEND_MESAGES, FLY_AWAY_AT_ONCE]
  - may: [VIEW_CHANNEL]
    may_not: [VIEW_CHANNEL]
    maybe: [VIEW_CHANNEL]
  - may: VIEW_CHANNEL
  - just a word
`;
  const { problems } = casesOf(text, names);
  expect(problems.map(({ line, key }) => [line, key])).toEqual([
    [2, "case.nothing"],
    [3, "case.noRole"],
    [4, "case.noChannel"],
    [5, "case.closePermission"],
    [5, "case.noPermission"],
    [6, "case.both"],
    [8, "case.key"],
    [9, "case.list"],
    [10, "case.map"],
  ]);
  expect(problems[3]?.blanks).toEqual({ what: "SEND_MESAGES", close: "SEND_MESSAGES" });
});

test.each([
  ["nothing", "", "case.none"],
  ["no case", "cases: []", "case.none"],
  ["no cases", "roles: []", "case.none"],
  ["too many", `cases:\n${"  - may: [VIEW_CHANNEL]\n".repeat(most + 1)}`, "case.many"],
  ["half of it", "cases: [", "file.depth"],
])("a file with %s is not run", (_, text, key) => {
  expect(casesOf(text, names).problems.map((one) => one.key)).toEqual([key]);
});

test("the example to begin with can be run", () => {
  const words = { note: "a: note", newcomer: "a newcomer", role: "{role} is: not the owner", owner: "owners" };
  const { cases, problems } = casesOf(example(names, words), names);
  expect(problems).toEqual([]);
  expect(cases.map((one) => one.name)).toEqual(["a newcomer", "moderator is: not the owner", "owners"]);
  expect(casesOf(example({ ...names, roles: [owner, member], channels: [] }, words), names).problems).toEqual([]);
});

test("what does not hold is explained by the rule that decides", () => {
  const text = `cases:
  - {roles: [muted], may: [SEND_MESSAGES]}
  - {channel: announcements, may: [SEND_MESSAGES, PIN_MESSAGES]}
  - {channel: backstage, may: [SEND_MESSAGES]}
  - {roles: [owner], may_not: [MANAGE_ROLES]}
  - {channel: general, may: [SEND_MESSAGES]}
`;
  const { cases } = casesOf(text, names);
  const failure = (caseIndex: number, permission: Permission, allowed: boolean) => create(PolicyFailureSchema, { caseIndex, permission, allowed });
  const denies = (permission: Permission): ChannelOverride => create(ChannelOverrideSchema, { targetId: member.id, deny: [permission] });
  const failures = [failure(0, SEND_MESSAGES, false), failure(1, SEND_MESSAGES, false), failure(1, PIN_MESSAGES, false), failure(2, SEND_MESSAGES, false), failure(3, MANAGE_ROLES, true)];
  const overrides = { chn_announcements: [denies(SEND_MESSAGES)], chn_backstage: [denies(VIEW_CHANNEL)] };
  const outcomes = outcomesOf(cases, failures, { roles: names.roles, overrides, everyone: member.id });
  expect(outcomes.map(({ missed }) => missed.map(({ why }) => why && [why.permission, why.rule?.where, why.rule?.targetId]))).toEqual([
    [[SEND_MESSAGES, "community", muted.id]],
    [
      [SEND_MESSAGES, "channel", member.id],
      [PIN_MESSAGES, undefined, undefined],
    ],
    [[VIEW_CHANNEL, "channel", member.id]],
    [[MANAGE_ROLES, "community", owner.id]],
    [],
  ]);
});

test("what was decided otherwise, or where rules are not known, is not explained", () => {
  const { cases } = casesOf("cases: [{may_not: [SEND_MESSAGES]}, {channel: general, may_not: [SEND_MESSAGES]}]", names);
  const failures = [0, 1].map((caseIndex) => create(PolicyFailureSchema, { caseIndex, permission: SEND_MESSAGES, allowed: caseIndex === 1 }));
  const outcomes = outcomesOf(cases, failures, { roles: names.roles, overrides: {}, everyone: member.id });
  expect(outcomes.map(({ missed }) => missed[0]?.why)).toEqual([undefined, undefined]);
});
