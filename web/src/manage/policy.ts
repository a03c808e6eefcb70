import { Permission } from "@creavio/client/options/v1/permission";
import { type ChannelOverride, type Role, RoleKind } from "@creavio/client/rbac/v1/role";

/** What a rule says of a permission: nothing leaves it to the next. */
export type Says = "allow" | "deny" | undefined;

type Rules = Pick<Role, "allow" | "deny">;

/** What decides in a place: the roles, the highest first, and what a channel overrides. */
export interface Policy {
  readonly roles: readonly Role[];
  /** Undefined outside channels. */
  readonly overrides: readonly ChannelOverride[] | undefined;
}

export interface Person {
  readonly id: string;
  readonly roleIds: readonly string[];
}

/** A rule that speaks of a permission. */
export interface Rule {
  readonly where: "channel" | "community";
  /** The role, or the person. */
  readonly targetId: string;
  readonly says: "allow" | "deny";
  /** Whether it is about the person at all. */
  readonly applies: boolean;
}

export function said(rules: Rules, permission: Permission): Says {
  if (rules.deny.includes(permission)) return "deny";
  return rules.allow.includes(permission) ? "allow" : undefined;
}

/** `rules` saying something else of one permission. */
export function saying(rules: Rules, permission: Permission, says: Says): { allow: Permission[]; deny: Permission[] } {
  const others = (list: readonly Permission[]): Permission[] => list.filter((one) => one !== permission);
  return {
    allow: says === "allow" ? [...others(rules.allow), permission] : others(rules.allow),
    deny: says === "deny" ? [...others(rules.deny), permission] : others(rules.deny),
  };
}

/** Of which permissions two rules say something else. */
export function differing(a: Rules, b: Rules): Permission[] {
  const all = new Set([...a.allow, ...a.deny, ...b.allow, ...b.deny]);
  return [...all].filter((one) => said(a, one) !== said(b, one));
}

/** Every rule that speaks of a permission, in the order they are asked: the first that applies decides. */
export function rulesOf({ roles, overrides }: Policy, person: Person, permission: Permission): Rule[] {
  const found: Rule[] = [];
  const note = (where: Rule["where"], targetId: string, rules: Rules | undefined, applies: boolean): void => {
    const says = rules === undefined ? undefined : said(rules, permission);
    if (says !== undefined) found.push({ where, targetId, says, applies });
  };
  const owner = roles.find((one) => one.kind === RoleKind.OWNER);
  if (owner !== undefined && person.roleIds.includes(owner.id)) {
    return [{ where: "community", targetId: owner.id, says: "allow", applies: true }];
  }
  const overridden = new Map(overrides?.map((one) => [one.targetId, one]));
  note("channel", person.id, overridden.get(person.id), true);
  for (const role of roles) note("channel", role.id, overridden.get(role.id), person.roleIds.includes(role.id));
  for (const role of roles) {
    if (role.kind !== RoleKind.OWNER) note("community", role.id, role, person.roleIds.includes(role.id));
  }
  return found;
}

/** What ends a question. */
export interface Decision {
  readonly allowed: boolean;
  /** What was decided: seeing, where that is not allowed. */
  readonly permission: Permission;
  /** The rule that decided; undefined when none speaks of it, which denies. */
  readonly rule: Rule | undefined;
}

/** Whether a person may do something, and by which rule; whoever cannot see a place may do nothing in it. */
export function decided(policy: Policy, person: Person, permission: Permission): Decision {
  const decide = (place: Policy, asked: Permission): Decision => {
    const rule = rulesOf(place, person, asked).find((one) => one.applies);
    return { allowed: rule?.says === "allow", permission: asked, rule };
  };
  const seen = decide({ ...policy, overrides: undefined }, Permission.VIEW_COMMUNITY);
  if (!seen.allowed) return seen;
  const read = policy.overrides === undefined ? seen : decide(policy, Permission.VIEW_CHANNEL);
  return read.allowed ? decide(policy, permission) : read;
}

/** Whether a person may do something. */
export function allows(policy: Policy, person: Person, permission: Permission): boolean {
  return decided(policy, person, permission).allowed;
}

/** The place of the highest of the roles held, 0 being the top; one below the last for none. */
export function rank(roles: readonly Role[], held: readonly string[]): number {
  const at = roles.findIndex((one) => held.includes(one.id));
  return at < 0 ? roles.length : at;
}

/** What would change the answer about a person. */
export type Remedy =
  | { readonly do: "grant" | "take"; readonly roleId: string }
  | { readonly do: "allowHere" | "denyHere"; readonly targetId: string }
  | { readonly do: "edit"; readonly roleId: string };

/**
 * What somebody could do so that the answer is the other one, the mildest first: each is
 * tried against the rules. `mine` are the asker's roles, `may` what they may do themselves.
 */
export function remedies(
  policy: Policy,
  person: Person,
  permission: Permission,
  mine: readonly string[],
  may: ReadonlySet<Permission>,
): Remedy[] {
  const now = allows(policy, person, permission);
  const top = rank(policy.roles, mine);
  const below = policy.roles.filter((one, at) => at > top && one.kind !== RoleKind.OWNER);
  const within = (role: Role): boolean => [...role.allow, ...role.deny].every((one) => may.has(one));
  const reachable = person.id !== "" && (rank(policy.roles, person.roleIds) > top || person.roleIds.join() === mine.join());
  const flips = (other: Policy, whom: Person): boolean => allows(other, whom, permission) !== now;
  const found: Remedy[] = [];
  const custom = below.filter((one) => one.kind === RoleKind.CUSTOM && within(one)).reverse();
  const held = (role: Role): boolean => person.roleIds.includes(role.id);
  for (const role of reachable ? custom : []) {
    const roleIds = held(role) ? person.roleIds.filter((id) => id !== role.id) : [...person.roleIds, role.id];
    if (held(role) === now && flips(policy, { ...person, roleIds })) found.push({ do: now ? "take" : "grant", roleId: role.id });
  }
  const { overrides } = policy;
  if (overrides !== undefined && may.has(permission)) {
    const targets = [...below.filter(held).reverse().map((one) => one.id), ...(reachable ? [person.id] : [])];
    const target = targets.find((id) => flips({ ...policy, overrides: overridden(overrides, id, permission, now ? "deny" : "allow") }, person));
    if (target !== undefined) found.push({ do: now ? "denyHere" : "allowHere", targetId: target });
  }
  if (overrides === undefined && may.has(permission)) {
    const role = below.find(
      (one) =>
        held(one) &&
        flips({ ...policy, roles: policy.roles.map((other) => (other === one ? { ...one, ...saying(one, permission, now ? "deny" : "allow") } : other)) }, person),
    );
    if (role !== undefined) found.push({ do: "edit", roleId: role.id });
  }
  return found.slice(0, 3);
}

function overridden(
  overrides: readonly ChannelOverride[],
  targetId: string,
  permission: Permission,
  says: Says,
): readonly ChannelOverride[] {
  const there = overrides.find((one) => one.targetId === targetId);
  const rules = saying(there ?? { allow: [], deny: [] }, permission, says);
  const changed = { ...(there ?? ({ targetId } as ChannelOverride)), ...rules };
  return [...overrides.filter((one) => one !== there), changed];
}
