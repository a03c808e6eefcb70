import { Permission } from "@creavio/client/options/v1/permission";

/** Whoever holds one of these finds something to do in the settings of a community. */
export const opens: ReadonlySet<Permission> = new Set([
  Permission.MANAGE_COMMUNITY,
  Permission.MANAGE_ROLES,
  Permission.MANAGE_CHANNELS,
  Permission.MODERATE_MEMBERS,
  Permission.REMOVE_MEMBERS,
  Permission.BAN_MEMBERS,
  Permission.VIEW_AUDIT_LOG,
  Permission.MANAGE_EMOJI,
]);
