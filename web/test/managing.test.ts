import { create, type DescService } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Client } from "@creavio/client";
import { Permission } from "@creavio/client/options/v1/permission";
import { PolicyService } from "@creavio/client/rbac/v1/policy_service";
import { type Role, RoleKind, RoleSchema } from "@creavio/client/rbac/v1/role";
import { RoleService } from "@creavio/client/rbac/v1/role_service";
import { UserSchema } from "@creavio/client/user/v1/user";

import { api } from "@/api/client";
import { Managing } from "@/manage/managing";
import { Actions, type Payload } from "@/store/actions";
import { empty } from "@/store/state";
import { change } from "@/store/store";

const communityId = "com_1";
let may: Permission[];
let roles: Role[];
let asked: string[];

const transport = createRouterTransport(({ service }) => {
  service(PolicyService, { listPermissions: () => ({ permissions: may }) });
  service(RoleService, {
    listRoles: () => ({ roles }),
    getMemberRoles: ({ userId }) => {
      asked.push(userId);
      return { userId, roleIds: ["rol_member"] };
    },
  });
});

function role(id: string, kind = RoleKind.CUSTOM): Role {
  return create(RoleSchema, { id, communityId, kind });
}

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

async function following(): Promise<Managing> {
  const client = { service: (described: DescService) => createClient(described, transport) };
  const managing = new Managing(new Actions(api(client as unknown as Client)), communityId);
  stops.push(managing.follow());
  await vi.waitFor(() => {
    expect(managing.kept.getState().roles.length).toBe(roles.length);
    expect(managing.kept.getState().may).toEqual(new Set(may));
  });
  return managing;
}

function tell(managing: Managing, payload: { readonly case: string; readonly value: object }): void {
  managing.actions.heard(payload as unknown as Payload);
}

function order(managing: Managing): string[] {
  return managing.kept.getState().roles.map((one) => one.id);
}

beforeEach(() => {
  may = [Permission.MANAGE_ROLES];
  roles = [role("rol_owner", RoleKind.OWNER), role("rol_a"), role("rol_b"), role("rol_member", RoleKind.MEMBER)];
  asked = [];
  change(() => ({ ...empty, phase: "inside", me: create(UserSchema, { id: "usr_me" }) }));
});

test("what one may do is read again when one's roles change, and not when somebody else's do", async () => {
  const managing = await following();
  may = [];
  tell(managing, { case: "memberRolesChanged", value: { communityId, userId: "usr_ken", roleIds: ["rol_a"] } });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(managing.kept.getState().may).toEqual(new Set([Permission.MANAGE_ROLES]));
  expect(managing.kept.getState().memberRoles["usr_ken"]).toEqual(["rol_a"]);
  tell(managing, { case: "memberRolesChanged", value: { communityId, userId: "usr_me", roleIds: [] } });
  await vi.waitFor(() => expect(managing.kept.getState().may).toEqual(new Set()));
});

test("roles come, move and go as the stream tells", async () => {
  const managing = await following();
  tell(managing, { case: "roleCreated", value: { role: role("rol_new") } });
  expect(order(managing)).toEqual(["rol_owner", "rol_a", "rol_b", "rol_new", "rol_member"]);
  tell(managing, { case: "rolesReordered", value: { communityId, roleIds: ["rol_owner", "rol_new", "rol_b", "rol_a", "rol_member"] } });
  expect(order(managing)).toEqual(["rol_owner", "rol_new", "rol_b", "rol_a", "rol_member"]);
  tell(managing, { case: "memberRolesChanged", value: { communityId, userId: "usr_ken", roleIds: ["rol_a", "rol_b"] } });
  tell(managing, { case: "roleDeleted", value: { communityId, roleId: "rol_b" } });
  expect(order(managing)).toEqual(["rol_owner", "rol_new", "rol_a", "rol_member"]);
  expect(managing.kept.getState().memberRoles["usr_ken"]).toEqual(["rol_a"]);
});

test("what is told of another place changes nothing here", async () => {
  const managing = await following();
  const before = managing.kept.getState().roles;
  tell(managing, { case: "roleDeleted", value: { communityId: "com_2", roleId: "rol_a" } });
  tell(managing, { case: "roleCreated", value: { role: create(RoleSchema, { id: "rol_x", communityId: "com_2" }) } });
  expect(managing.kept.getState().roles).toBe(before);
});

test("the roles of a person are asked for once, and again when everything is", async () => {
  const managing = await following();
  managing.knowRoles(["usr_ken", "usr_mia"]);
  managing.knowRoles(["usr_ken"]);
  await vi.waitFor(() => expect(managing.kept.getState().memberRoles["usr_mia"]).toEqual(["rol_member"]));
  expect(asked.filter((id) => id === "usr_ken")).toHaveLength(1);
  tell(managing, { case: "refetch", value: {} });
  await vi.waitFor(() => expect(asked.filter((id) => id === "usr_ken")).toHaveLength(2));
});
