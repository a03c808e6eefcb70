import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { Permission } from "@creavio/client/options/v1/permission";
import { type ChannelOverride, ChannelOverrideSchema, type Role, RoleKind, RoleSchema } from "@creavio/client/rbac/v1/role";

import { allows, differing, type Person, rank, remedies, rulesOf, said, saying } from "@/manage/policy";

const { VIEW_COMMUNITY, VIEW_CHANNEL, SEND_MESSAGES, MANAGE_ROLES, BAN_MEMBERS } = Permission;

function role(id: string, kind: RoleKind, allow: Permission[], deny: Permission[] = []): Role {
  return create(RoleSchema, { id, name: id, kind, allow, deny });
}

function override(targetId: string, allow: Permission[], deny: Permission[] = []): ChannelOverride {
  return create(ChannelOverrideSchema, { targetId, allow, deny });
}

const owner = role("rol_owner", RoleKind.OWNER, []);
const keeper = role("rol_keeper", RoleKind.CUSTOM, [SEND_MESSAGES, MANAGE_ROLES]);
const quiet = role("rol_quiet", RoleKind.CUSTOM, [], [SEND_MESSAGES]);
const member = role("rol_member", RoleKind.MEMBER, [VIEW_COMMUNITY, VIEW_CHANNEL, SEND_MESSAGES]);
const roles = [owner, keeper, quiet, member];
const all = new Set([VIEW_COMMUNITY, VIEW_CHANNEL, SEND_MESSAGES, MANAGE_ROLES]);

function person(...roleIds: string[]): Person {
  return { id: "usr_ken", roleIds: [...roleIds, member.id] };
}

test("a role that says both denies", () => {
  expect(said({ allow: [SEND_MESSAGES], deny: [SEND_MESSAGES] }, SEND_MESSAGES)).toBe("deny");
});

test("what is said of one permission leaves the others", () => {
  const rules = saying({ allow: [VIEW_CHANNEL, SEND_MESSAGES], deny: [] }, SEND_MESSAGES, "deny");
  expect(rules).toEqual({ allow: [VIEW_CHANNEL], deny: [SEND_MESSAGES] });
  expect(differing(rules, { allow: [VIEW_CHANNEL, SEND_MESSAGES], deny: [] })).toEqual([SEND_MESSAGES]);
});

test("the highest role that speaks decides", () => {
  expect(allows({ roles, overrides: undefined }, person(quiet.id), SEND_MESSAGES)).toBe(false);
  expect(allows({ roles, overrides: undefined }, person(quiet.id, keeper.id), SEND_MESSAGES)).toBe(true);
});

test("a channel counts before the place, and a word about one person before both", () => {
  const closed = { roles, overrides: [override(member.id, [], [SEND_MESSAGES])] };
  expect(allows(closed, person(keeper.id), SEND_MESSAGES)).toBe(false);
  const open = { roles, overrides: [...closed.overrides, override("usr_ken", [SEND_MESSAGES])] };
  expect(allows(open, person(), SEND_MESSAGES)).toBe(true);
  expect(rulesOf(open, person(), SEND_MESSAGES).map((rule) => [rule.where, rule.targetId])).toEqual([
    ["channel", "usr_ken"],
    ["channel", member.id],
    ["community", keeper.id],
    ["community", quiet.id],
    ["community", member.id],
  ]);
});

test("nothing denies an owner, and whoever cannot see may do nothing", () => {
  const hidden = { roles, overrides: [override(member.id, [SEND_MESSAGES], [VIEW_CHANNEL])] };
  expect(allows(hidden, person(owner.id), SEND_MESSAGES)).toBe(true);
  expect(allows(hidden, person(), SEND_MESSAGES)).toBe(false);
});

test("what is offered changes the answer, and lies within one's reach", () => {
  const closed = { roles, overrides: [override(member.id, [], [SEND_MESSAGES]), override(keeper.id, [SEND_MESSAGES])] };
  expect(remedies(closed, person(), SEND_MESSAGES, [owner.id], all)).toEqual([
    { do: "grant", roleId: keeper.id },
    { do: "allowHere", targetId: member.id },
  ]);
  // A keeper gives no role that is not below their own.
  expect(remedies(closed, person(), SEND_MESSAGES, [keeper.id], all)).toEqual([{ do: "allowHere", targetId: member.id }]);
  // Nor anything they lack.
  expect(remedies(closed, person(), SEND_MESSAGES, [keeper.id], new Set([VIEW_COMMUNITY]))).toEqual([]);
});

test("what takes a permission away is offered where it is held", () => {
  const open = { roles, overrides: undefined };
  expect(remedies(open, person(quiet.id, keeper.id), SEND_MESSAGES, [owner.id], all)[0]).toEqual({ do: "take", roleId: keeper.id });
  expect(remedies(open, person(), BAN_MEMBERS, [owner.id], new Set([...all, BAN_MEMBERS]))).toContainEqual({ do: "edit", roleId: member.id });
});

test("whoever has no role stands below all", () => {
  expect(rank(roles, [])).toBe(roles.length);
  expect(rank(roles, [member.id, quiet.id])).toBe(2);
});
