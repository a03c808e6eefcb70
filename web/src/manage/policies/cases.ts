import type { Channel } from "@creavio/client/community/v1/channel";
import { Permission } from "@creavio/client/options/v1/permission";
import { type Role, RoleKind } from "@creavio/client/rbac/v1/role";

import type { Key } from "./en";
import { type Entry, read, Unreadable, type Value } from "./file";

/** What somebody with some roles is expected to be allowed. */
export interface Case {
  /** Empty where the file gives none. */
  readonly name: string;
  readonly line: number;
  /** Besides the one that every member has. */
  readonly roleIds: readonly string[];
  /** Empty for the community as a whole. */
  readonly channelId: string;
  readonly may: readonly Permission[];
  readonly mayNot: readonly Permission[];
}

export interface Problem {
  readonly line: number;
  readonly key: Key;
  readonly blanks: Readonly<Record<string, string>>;
}

export interface Read {
  readonly cases: readonly Case[];
  readonly problems: readonly Problem[];
  /** Whether the file says what roles and channels allow: here those that are there count. */
  readonly passedOver: boolean;
}

/** What names in a file stand for. */
export interface Names {
  readonly roles: readonly Role[];
  readonly channels: readonly Channel[];
  /** What people see a role called. */
  readonly called: (role: Role) => string;
}

/** How many cases are held against a policy at once; the platform holds the same. */
export const most = 200;

const { UNSPECIFIED, ADMINISTRATE } = Permission;
const permissions = new Map(
  Object.entries(Permission).filter((one): one is [string, Permission] => typeof one[1] === "number" && one[1] !== UNSPECIFIED && one[1] !== ADMINISTRATE),
);

/** The name of a permission as files write it. */
export function nameOfPermission(permission: Permission): string {
  return Permission[permission];
}

/** Reads the cases of a policy file: `docs/examples/policy.yaml` shows one. Every problem is told, with its line. */
export function casesOf(text: string, names: Names): Read {
  try {
    return new Cases(names).of(read(text));
  } catch (thrown) {
    if (!(thrown instanceof Unreadable)) throw thrown;
    return { cases: [], problems: [{ line: thrown.line, key: thrown.why, blanks: {} }], passedOver: false };
  }
}

class Cases {
  readonly #problems: Problem[] = [];

  constructor(readonly names: Names) {}

  of(file: Value): Read {
    const top = this.#entries(file, ["roles", "channels", "cases"]);
    const listed = top.get("cases");
    const items = listed === undefined ? [] : this.#items(listed.value);
    if (items.length === 0) this.#wrong(listed?.line ?? file.line, "case.none");
    if (items.length > most) this.#wrong(items[most]?.line ?? file.line, "case.many", { count: String(most) });
    const cases = items.map((one) => this.#case(one));
    return { cases, problems: this.#problems.toSorted((a, b) => a.line - b.line), passedOver: top.has("roles") || top.has("channels") };
  }

  #case(value: Value): Case {
    const before = this.#problems.length;
    const said = this.#entries(value, ["name", "roles", "channel", "may", "may_not"]);
    const listed = (key: string): readonly Value[] => {
      const entry = said.get(key);
      return entry === undefined ? [] : this.#items(entry.value);
    };
    const [mays, mayNots] = [listed("may"), listed("may_not")];
    // What is no case, or no list, was told of already.
    if (mays.length + mayNots.length === 0 && this.#problems.length === before) this.#wrong(value.line, "case.nothing");
    const [may, mayNot] = [this.#permissions(mays), this.#permissions(mayNots)];
    for (const one of may) if (mayNot.includes(one)) this.#wrong(value.line, "case.both", { what: nameOfPermission(one) });
    const channel = said.get("channel");
    return {
      name: this.#text(said.get("name")?.value),
      line: value.line,
      roleIds: [...new Set(listed("roles").flatMap((one) => this.#role(one)))],
      channelId: channel === undefined ? "" : this.#channel(channel.value),
      may,
      mayNot,
    };
  }

  #role(value: Value): string[] {
    const name = this.#text(value);
    const found = this.names.roles.find((one) => one.id === name);
    const same = (one: Role): boolean => [one.name, this.names.called(one), ...(one.kind === RoleKind.OWNER ? ["owner"] : [])].some((other) => alike(other, name));
    const exact = this.names.roles.filter((one) => one.name === name);
    const all = found !== undefined ? [found] : exact.length > 0 ? exact : this.names.roles.filter(same);
    if (all.length > 1) this.#wrong(value.line, "case.manyRoles", { what: name });
    else if (all.length === 0) this.#wrong(value.line, "case.noRole", { what: name });
    // Every member has that one.
    return all.filter((one) => one.kind !== RoleKind.MEMBER).map((one) => one.id);
  }

  #channel(value: Value): string {
    const name = this.#text(value).replace(/^#/, "");
    if (name === "") return "";
    const all = this.names.channels.filter((one) => one.id === name || one.name === name);
    if (all.length > 1) this.#wrong(value.line, "case.manyChannels", { what: name });
    else if (all.length === 0) this.#wrong(value.line, "case.noChannel", { what: name });
    return all[0]?.id ?? "";
  }

  #permissions(values: readonly Value[]): Permission[] {
    const found = values.flatMap((value) => {
      const name = this.#text(value);
      const permission = permissions.get(name);
      if (permission !== undefined) return [permission];
      const close = closest(name.toUpperCase());
      if (close === undefined) this.#wrong(value.line, "case.noPermission", { what: name });
      else this.#wrong(value.line, "case.closePermission", { what: name, close });
      return [];
    });
    return [...new Set(found)];
  }

  #entries(value: Value, known: readonly string[]): ReadonlyMap<string, Entry> {
    if (value.is !== "map") {
      // Nothing at all is told of as cases that are missing.
      if (value.is !== "text" || value.text !== "") this.#wrong(value.line, "case.map", { known: known.join(", ") });
      return new Map();
    }
    for (const one of value.entries) if (!known.includes(one.key)) this.#wrong(one.line, "case.key", { what: one.key, known: known.join(", ") });
    return new Map(value.entries.map((one) => [one.key, one]));
  }

  #items(value: Value): readonly Value[] {
    if (value.is === "list") return value.items;
    if (value.is !== "text" || value.text !== "") this.#wrong(value.line, "case.list");
    return [];
  }

  #text(value: Value | undefined): string {
    if (value === undefined) return "";
    if (value.is === "text") return value.text;
    this.#wrong(value.line, "case.text");
    return "";
  }

  #wrong(line: number, key: Key, blanks: Readonly<Record<string, string>> = {}): void {
    this.#problems.push({ line, key, blanks });
  }
}

function alike(a: string, b: string): boolean {
  return a.localeCompare(b, undefined, { sensitivity: "accent" }) === 0;
}

/** The permission that somebody may have meant. */
function closest(name: string): string | undefined {
  const near = [...permissions.keys()].map((one) => ({ one, away: distance(one, name) })).sort((a, b) => a.away - b.away)[0];
  return near !== undefined && near.away <= Math.max(2, name.length / 3) ? near.one : undefined;
}

/** How many letters lie between two words (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** A file to begin with, about the roles and channels that are there. */
export function example({ roles, channels }: Names, words: Readonly<Record<"note" | "newcomer" | "role" | "owner", string>>): string {
  const role = roles.find((one) => one.kind === RoleKind.CUSTOM);
  const channel = channels[0];
  return [
    `# ${words.note}`,
    "cases:",
    `  - name: ${written(words.newcomer)}`,
    ...(channel === undefined ? [] : [`    channel: ${written(channel.name)}`]),
    "    may: [VIEW_CHANNEL, SEND_MESSAGES, ADD_REACTIONS]",
    "    may_not: [MANAGE_MESSAGES, BAN_MEMBERS]",
    ...(role === undefined
      ? []
      : [`  - name: ${written(words.role.replace("{role}", role.name))}`, `    roles: [${written(role.name)}]`, "    may: [VIEW_COMMUNITY]", "    may_not: [MANAGE_COMMUNITY]"]),
    `  - name: ${written(words.owner)}`,
    "    roles: [owner]",
    "    may: [MANAGE_ROLES, MANAGE_COMMUNITY]",
    "",
  ].join("\n");
}

/** A text as a file has it: in quotes where it could be taken for something else. */
function written(text: string): string {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_ .’-]*$/u.test(text) && text.trim() === text && !/^(null|~)$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
