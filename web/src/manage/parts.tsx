import { ArrowLeft, Check, Minus, X } from "lucide-react";
import { type ReactNode, useEffect, useId, useMemo } from "react";

import { type Role, RoleKind } from "@creavio/client/rbac/v1/role";
import type { Blanks } from "@/i18n/texts";
import { counted, figure } from "@/i18n/plural";
import { go, type Place } from "@/route";
import { useListing } from "@/settings/listing";
import { Nothing } from "@/settings/page";
import type { Pick } from "@/settings/picker";
import { useSay as useSayShared } from "@/settings/texts";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { useMutation } from "@/ui/mutation";
import { Avatar, Button, classes, IconButton, Wrong } from "@/ui/parts";
import { useNarrow } from "@/ui/narrow";

import { hueOfColour } from "./colour";
import type { Key } from "./en";
import { lookedAt, useKept, useManaging } from "./managing";
import type { Says } from "./policy";
import { say as sayHere, useSay } from "./texts";

const refusals: Readonly<Record<string, Key>> = {
  ROLE_TOO_HIGH: "refused.tooHigh",
  EXCEEDS_OWN_PERMISSIONS: "refused.exceeds",
  CONCURRENT_CHANGE: "refused.changed",
  LIMIT_REACHED: "refused.limit",
  LAST_OWNER: "refused.lastOwner",
  NOT_FOUND: "refused.gone",
  PERMISSION_DENIED: "refused.denied",
  BANNED: "refused.banned",
  EMOJI_NAME_TAKEN: "refused.nameTaken",
  CALLED_OFF: "refused.calledOff",
};

/** Something that is changed here; a refusal is said in plain words. */
export function useChange(work: () => Promise<void>, known: Readonly<Record<string, Key>> = {}): ReturnType<typeof useMutation> {
  return useMutation<Key>(work, { ...refusals, ...known }, sayHere);
}

/** A sentence of which there is one form for each count. */
export function useCounted(): (key: Key, count: number, blanks?: Blanks) => string {
  const say = useSay();
  return (key, count, blanks = {}) => counted(say(key, { ...blanks, count: figure(count) }), count);
}

/** What a role is called: those that every place has are called the same everywhere. */
export function useRoleName(): (role: Role) => string {
  const say = useSay();
  return ({ kind, name }) => (kind === RoleKind.MEMBER ? say("roles.everyone") : kind === RoleKind.OWNER ? say("roles.owner") : name);
}

/** What somebody is called. */
export function useNameOf(): (userId: string) => string {
  const say = useSay();
  const users = useKnown((state) => state.users);
  return (id) => nameOf(users[id], say("manage.somebody"));
}

const nobody: readonly string[] = [];

/** Who belongs here, in the order of joining, and whether that is known; their names and roles follow. */
export function useMembers(): { readonly ids: readonly string[]; readonly known: boolean } {
  const managing = useManaging();
  const ids = useKnown((state) => state.members[managing.communityId]);
  useEffect(() => {
    if (ids === undefined) void managing.actions.people(managing.communityId).catch(() => {});
    else managing.knowRoles(ids.slice(0, lookedAt));
  }, [managing, ids]);
  return { ids: ids ?? nobody, known: ids !== undefined };
}

/** By role, who has it; undefined while that is not known of everybody. */
export function useHolders(): ReadonlyMap<string, readonly string[]> | undefined {
  const { ids, known } = useMembers();
  const memberRoles = useKept((kept) => kept.memberRoles);
  const roles = useKept((kept) => kept.roles);
  return useMemo(() => {
    if (!known || ids.some((id) => memberRoles[id] === undefined)) return undefined;
    const holders = new Map<string, string[]>(roles.map((one) => [one.id, []]));
    for (const id of ids) for (const roleId of memberRoles[id] ?? []) holders.get(roleId)?.push(id);
    const everyone = roles.find((one) => one.kind === RoleKind.MEMBER);
    if (everyone !== undefined) holders.set(everyone.id, [...ids]);
    return holders;
  }, [ids, known, memberRoles, roles]);
}

/** People to choose from. */
export function usePeoplePicks(ids: readonly string[]): readonly Pick[] {
  const users = useKnown((state) => state.users);
  return useMemo(
    () =>
      ids
        .map((id) => {
          const name = nameOf(users[id]);
          return { value: id, title: name, hint: `@${users[id]?.handle ?? ""}`, sign: <Avatar id={id} size="s" /> };
        })
        .sort((a, b) => a.title.localeCompare(b.title)),
    [ids, users],
  );
}

/** The colour of a role. */
export function Swatch({ role, big = false }: { readonly role: Coloured; readonly big?: boolean }): ReactNode {
  const hue = hueOfColour(role.color);
  return (
    <span
      aria-hidden
      className={classes(
        "shrink-0",
        big ? "size-10 rounded-[13px]" : "size-3 rounded-[4px]",
        hue === "" ? (big ? "bg-line" : "bg-line-strong") : big ? "bg-hue-mid" : "bg-hue-sign",
        hue,
      )}
    />
  );
}

type Coloured = Readonly<{ color: number }>;

const signs = [
  { says: "deny", key: "says.deny", Icon: X, look: "has-checked:bg-danger-soft has-checked:text-danger" },
  { says: undefined, key: "says.inherit", Icon: Minus, look: "has-checked:bg-overlay has-checked:text-text has-checked:shadow-1" },
  { says: "allow", key: "says.allow", Icon: Check, look: "has-checked:bg-positive-soft has-checked:text-positive" },
] as const;

interface TriProps {
  readonly label: string;
  readonly value: Says;
  readonly disabled: boolean;
  readonly onChange: (says: Says) => void;
}

/** Deny, inherit or allow. */
export function Tri({ label, value, disabled, onChange }: TriProps): ReactNode {
  const say = useSay();
  const name = useId();
  return (
    <span
      role="radiogroup"
      aria-label={label}
      className={classes(
        "inline-flex shrink-0 rounded-control bg-sunken p-0.75 shadow-[inset_0_0_0_1px_var(--line)]",
        disabled && "opacity-60",
      )}
    >
      {signs.map(({ says, key, Icon, look }) => (
        <label
          key={key}
          title={say(key)}
          className={classes(
            "grid h-6.5 w-8.5 place-items-center rounded-[7px] text-faint has-focus-visible:outline-2 has-focus-visible:outline-focus max-mid:h-9.5 max-mid:w-11",
            !disabled && "cursor-pointer hover:text-text",
            look,
          )}
        >
          <input
            type="radio"
            name={name}
            className="sr-only"
            aria-label={say(key)}
            disabled={disabled}
            checked={value === says}
            onChange={() => onChange(says)}
          />
          <Icon size={16} strokeWidth={1.9} aria-hidden />
        </label>
      ))}
    </span>
  );
}

interface PermissionRowProps {
  readonly title: string;
  readonly hint: string;
  readonly value: Says;
  /** Why it cannot be changed; undefined when it can. */
  readonly why: string | undefined;
  readonly onChange: (says: Says) => void;
}

/** A permission, and what is said of it. */
export function PermissionRow({ title, hint, value, why, onChange }: PermissionRowProps): ReactNode {
  return (
    <li className="flex min-h-14 items-center gap-4 border-b border-line py-1.5">
      <span className="min-w-0 grow">
        <b className="block font-medium">{title}</b>
        <small className="block text-12 text-faint">{hint}</small>
        {why !== undefined && why !== "" && <small className="block text-12 text-muted">{why}</small>}
      </span>
      <Tri label={title} value={value} disabled={why !== undefined} onChange={onChange} />
    </li>
  );
}

interface SplitProps {
  /** What is chosen; the list stands alone without it where there is no room for both. */
  readonly item: string;
  readonly list: ReactNode;
  readonly wide?: boolean;
  readonly children: ReactNode;
}

/** A list, and what is chosen of it. */
export function Split({ item, list, wide = false, children }: SplitProps): ReactNode {
  return (
    <div
      className={classes(
        "grid min-h-0 min-w-0 grow grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)]",
        wide ? "wide:grid-cols-[20rem_minmax(0,1fr)]" : "wide:grid-cols-[13.5rem_minmax(0,1fr)]",
      )}
    >
      <div className={classes("min-h-0 overflow-y-auto border-line px-2.5 py-3.5 wide:border-e", item !== "" && "max-wide:hidden")}>{list}</div>
      <div className={classes("relative flex min-h-0 min-w-0 flex-col", item === "" && "max-wide:hidden")}>{children}</div>
    </div>
  );
}

/** Leads from what is chosen back to the list, where both have no room. */
export function BackToList({ to }: { readonly to: Place }): ReactNode {
  const say = useSay();
  return (
    <IconButton label={say("manage.toList")} className="-ms-2 max-mid:hidden wide:hidden" onClick={() => go(to)}>
      <ArrowLeft size={18} strokeWidth={1.75} aria-hidden className="rtl:-scale-x-100" />
    </IconButton>
  );
}

/** Where Back leads on a phone: from what is chosen to the list, from the list to all pages. */
export function useBack(page: string, item: string, pagesList: Place): Place {
  const { communityId } = useManaging();
  const narrow = useNarrow();
  return narrow && item !== "" ? { at: "manage", communityId, page, item: "" } : pagesList;
}

/** What can be scrolled beneath the bar of a page. */
export function Body({ children, wide = false }: { readonly children: ReactNode; readonly wide?: boolean }): ReactNode {
  return (
    <div className="min-h-0 grow overflow-y-auto">
      <div className={classes("grid content-start gap-6 p-4 pb-24 mid:p-5 mid:pb-24", wide ? "max-w-[60rem]" : "max-w-[44rem]")}>{children}</div>
    </div>
  );
}

interface ListedProps<T> {
  readonly of: ReturnType<typeof useListing<T>>;
  readonly empty: string;
  readonly children: (item: T) => ReactNode;
}

/** A list that is fetched by pages: its rows, what is said of none, and the way to more. */
export function Listed<T>({ of: { items, error, more, again }, empty, children }: ListedProps<T>): ReactNode {
  const say = useSayShared();
  return (
    <>
      {items !== undefined && items.length === 0 && <Nothing>{empty}</Nothing>}
      {items !== undefined && items.length > 0 && <ul className="grid">{items.map(children)}</ul>}
      {items === undefined && error === undefined && <div aria-busy className="min-h-14" />}
      {error !== undefined && (
        <div className="flex items-center gap-3">
          <Wrong>{error}</Wrong>
          <Button onClick={again}>{say("settings.again")}</Button>
        </div>
      )}
      {more !== undefined && (
        <Button className="justify-self-start" onClick={more}>
          {say("settings.more")}
        </Button>
      )}
    </>
  );
}

/** A line of a list: somebody or something, what is said of it, and what can be done. */
export function Line({ sign, title, hint, children }: { readonly sign: ReactNode; readonly title: ReactNode; readonly hint?: ReactNode; readonly children?: ReactNode }): ReactNode {
  return (
    <li className="flex min-h-14 flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line py-2 [content-visibility:auto] [contain-intrinsic-size:auto_3.5rem]">
      {sign}
      <span className="min-w-0 grow basis-40">
        <span className="block truncate font-medium">
          <bdi>{title}</bdi>
        </span>
        {hint !== undefined && <span className="block text-12 text-muted [overflow-wrap:anywhere]">{hint}</span>}
      </span>
      {children}
    </li>
  );
}
