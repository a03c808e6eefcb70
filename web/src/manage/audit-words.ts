import type { AuditChange, AuditEntry } from "@creavio/client/community/v1/audit_entry";
import { AuditAction } from "@creavio/client/community/v1/audit_entry";
import { Permission } from "@creavio/client/options/v1/permission";
import type { Blanks } from "@/i18n/texts";

import type { Key } from "./en";

/** A field that was changed, and what it said. */
export interface Change {
  readonly field: Key;
  readonly before: string;
  readonly after: string;
}

/** The sentence an entry of the log is told in, without who did it. */
export function sentenceOf({ action, targetId, targetName }: AuditEntry, nameOf: (id: string) => string): { readonly key: Key; readonly blanks: Blanks } {
  const target = targetName !== "" ? targetName : targetId.startsWith("usr_") ? nameOf(targetId) : "";
  const known = action !== AuditAction.UNSPECIFIED && AuditAction[action] !== undefined;
  return { key: known ? `audit.did.${action}` : "audit.did.other", blanks: { target } };
}

/** Everybody an entry names. */
export function peopleIn({ actorId, targetId, changes }: AuditEntry): string[] {
  const overridden = changes.flatMap((one) => (one.field === "user_id" ? [one.before, one.after] : []));
  return [actorId, targetId, ...overridden].filter((one) => one.startsWith("usr_"));
}

const fields: Readonly<Record<string, Key>> = {
  name: "audit.field.name",
  description: "audit.field.description",
  topic: "audit.field.topic",
  visibility: "audit.field.visibility",
  icon: "audit.field.icon",
  title: "audit.field.title",
  location: "audit.field.location",
  start_time: "audit.field.start",
  end_time: "audit.field.end",
  time_zone: "audit.field.zone",
  expire_time: "audit.field.until",
  category_id: "audit.field.category",
  role: "audit.field.role",
  user_id: "audit.field.person",
  color: "audit.field.colour",
  allow: "audit.field.allow",
  deny: "audit.field.deny",
};

/** The names of permissions as an entry lists them, each as people call it. */
export function permissionsIn(value: string): Permission[] {
  const named: Readonly<Record<string, unknown>> = Permission;
  return value.split(", ").flatMap((name) => {
    const known = named[name];
    return typeof known === "number" ? [known] : [];
  });
}

/** What an entry says was changed, as far as it tells people something. */
export function changesOf({ changes }: AuditEntry): Change[] {
  return changes.flatMap(({ field, before, after }: AuditChange) => {
    const known = fields[field];
    return known === undefined ? [] : [{ field: known, before, after }];
  });
}
