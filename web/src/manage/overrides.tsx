import { ChevronDown, Lock } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";

import type { Channel } from "@creavio/client/community/v1/channel";
import { Permission } from "@creavio/client/options/v1/permission";
import { OverrideService } from "@creavio/client/rbac/v1/override_service";
import { type ChannelOverride, RoleKind } from "@creavio/client/rbac/v1/role";
import { Section } from "@/settings/page";
import { Switch } from "@/settings/parts";
import { Picker } from "@/settings/picker";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { Avatar, Button, classes, Wrong } from "@/ui/parts";
import { wrong } from "@/ui/wrong";

import { useExplaining } from "./explaining";
import { useKept, useManaging, useMine } from "./managing";
import { PermissionRow, Swatch, useMembers, useNameOf, usePeoplePicks, useRoleName } from "./parts";
import { groups, inChannels, wordsOf } from "./permissions";
import { differing, rank, said, saying } from "./policy";
import { useSay } from "./texts";

type Rules = Pick<ChannelOverride, "allow" | "deny">;

const unsaid: Rules = { allow: [], deny: [] };

interface Overriding {
  /** By target, as they are and as they are wanted; undefined until they are known. */
  readonly kept: ReadonlyMap<string, Rules> | undefined;
  readonly wanted: ReadonlyMap<string, Rules>;
  readonly error: string | undefined;
  /** How many permissions are to say something else. */
  readonly changes: number;
  readonly want: (targetId: string, rules: Rules) => void;
  readonly undo: () => void;
  readonly save: () => Promise<void>;
}

/** What is otherwise in a channel, and what is to be. */
export function useOverrides(channelId: string): Overriding {
  const { client } = useActions().api;
  const { communityId } = useManaging();
  const service = useMemo(() => client.service(OverrideService), [client]);
  const manages = useKept((all) => all.may?.has(Permission.MANAGE_ROLES) === true);
  const [kept, setKept] = useState<ReadonlyMap<string, Rules>>();
  const [draft, setDraft] = useState<ReadonlyMap<string, Rules>>(new Map());
  const [error, setError] = useState<string>();
  useEffect(() => {
    if (!manages) return;
    let left = false;
    service.listOverrides({ communityId, channelId }).then(
      ({ overrides }) => left || setKept(new Map(overrides.map((one) => [one.targetId, one]))),
      (thrown: unknown) => left || setError(wrong(thrown)),
    );
    return () => void (left = true);
  }, [service, manages, communityId, channelId]);
  const wanted = useMemo(() => new Map([...(kept ?? []), ...draft]), [kept, draft]);
  const changed = [...draft].filter(([id, rules]) => differing(rules, kept?.get(id) ?? unsaid).length > 0);
  const save = async (): Promise<void> => {
    for (const [targetId, { allow, deny }] of changed) {
      const empty = allow.length === 0 && deny.length === 0;
      const place = { communityId, channelId, targetId };
      const now: Rules | undefined = empty ? void (await service.deleteOverride(place)) : await service.setOverride({ ...place, allow, deny });
      // Kept one by one: where one is refused, those before it are there.
      setKept((before) => {
        const after = new Map(before);
        if (now === undefined) after.delete(targetId);
        else after.set(targetId, now);
        return after;
      });
    }
    setDraft(new Map());
  };
  return {
    kept,
    wanted,
    error,
    changes: changed.reduce((sum, [id, rules]) => sum + differing(rules, kept?.get(id) ?? unsaid).length, 0),
    want: useCallback((id, rules) => setDraft((before) => new Map(before).set(id, rules)), []),
    undo: useCallback(() => setDraft(new Map()), []),
    save,
  };
}

/** What roles and people may do otherwise in a channel. */
export function Overrides({ of, channel }: { readonly of: Overriding; readonly channel: Channel }): ReactNode {
  const say = useSay();
  const managing = useManaging();
  const { ask } = useExplaining();
  const roles = useKept((kept) => kept.roles);
  const memberRoles = useKept((kept) => kept.memberRoles);
  const mine = useMine();
  const roleName = useRoleName();
  const nameOf = useNameOf();
  const { ids } = useMembers();
  const people = usePeoplePicks(ids);
  const [open, setOpen] = useState("");
  const mayHere = useMayHere(channel.id);
  const me = useKnown((state) => state.me?.id ?? "");
  const top = rank(roles, mine);
  const everyone = roles.find((one) => one.kind === RoleKind.MEMBER);
  const targets = [...of.wanted.keys()];
  const overridden = targets.filter((id) => id.startsWith("usr_")).join();
  useEffect(() => {
    const userIds = overridden.split(",").filter((id) => id !== "");
    managing.knowRoles(userIds);
    managing.actions.know(userIds);
  }, [managing, overridden]);
  const sorted = [
    ...roles.filter((one) => one.kind !== RoleKind.OWNER && (of.wanted.has(one.id) || one === everyone)).map((one) => one.id),
    ...targets.filter((id) => id.startsWith("usr_")),
  ];
  const locked = (id: string): string | undefined => {
    const above = id.startsWith("usr_") ? id !== me && rank(roles, memberRoles[id] ?? []) <= top : roles.findIndex((one) => one.id === id) <= top;
    return above ? say(id.startsWith("usr_") ? "overrides.personTooHigh" : "overrides.tooHigh") : undefined;
  };
  const ruled = (id: string): Rules => of.wanted.get(id) ?? unsaid;
  const closed = everyone !== undefined && said(ruled(everyone.id), Permission.VIEW_CHANNEL) === "deny";
  const others = [
    ...roles
      .filter((one) => one.kind === RoleKind.CUSTOM && !of.wanted.has(one.id))
      .map((one) => ({ value: one.id, title: roleName(one), sign: <Swatch role={one} /> })),
    ...people.filter((one) => !of.wanted.has(one.value)),
  ];
  return (
    <Section title={say("overrides.title")} lead={say("overrides.lead")}>
      <Wrong>{of.error}</Wrong>
      {of.kept !== undefined && everyone !== undefined && (
        <>
          <Switch
            label={say("overrides.closed")}
            hint={say("overrides.closedHint")}
            checked={closed}
            disabled={locked(everyone.id) !== undefined || mayHere?.has(Permission.VIEW_CHANNEL) !== true}
            onChange={(checked) => of.want(everyone.id, saying(ruled(everyone.id), Permission.VIEW_CHANNEL, checked ? "deny" : undefined))}
          />
          <ul className="grid gap-1.5">
            {sorted.map((id) => {
              const role = roles.find((one) => one.id === id);
              const name = role === undefined ? nameOf(id) : roleName(role);
              const rules = ruled(id);
              const spoken = [...rules.allow, ...rules.deny].length;
              return (
                <li key={id} className="rounded-card shadow-[inset_0_0_0_1px_var(--line)]">
                  <h3>
                    <button
                      type="button"
                      aria-expanded={open === id}
                      aria-controls={`override-${id}`}
                      onClick={() => setOpen(open === id ? "" : id)}
                      className="flex min-h-11 w-full items-center gap-2.5 rounded-card px-3.5 text-start hover:bg-hover"
                    >
                      {role === undefined ? <Avatar id={id} size="s" /> : <Swatch role={role} />}
                      <span dir="auto" className="min-w-0 grow truncate font-medium">
                        {name}
                      </span>
                      {role === everyone && closed && <Lock size={14} aria-hidden className="text-faint" />}
                      <span className="text-12 text-faint">{spoken === 0 ? say("overrides.nothing") : say("overrides.said", { allow: rules.allow.length, deny: rules.deny.length })}</span>
                      <ChevronDown size={16} aria-hidden className={classes("shrink-0 text-faint transition-transform", open === id && "rotate-180")} />
                    </button>
                  </h3>
                  {open === id && (
                    <div id={`override-${id}`} className="px-3.5 pb-2">
                      <Rows
                        rules={rules}
                        locked={locked(id)}
                        mayHere={mayHere}
                        onChange={(changed) => of.want(id, changed)}
                      />
                      <Button
                        look="quiet"
                        className="mt-1 text-13"
                        onClick={() => ask({ userId: role === undefined ? id : (ids.find((one) => one !== me && memberRoles[one]?.includes(id)) ?? me), permission: Permission.SEND_MESSAGES, channelId: channel.id })}
                      >
                        {say("overrides.why")}
                      </Button>
                    </div>
                  )}
                </li>
              );
            })}
          </ul>
          <Picker
            label={say("overrides.add")}
            value=""
            options={others}
            className="min-h-9! justify-self-start"
            onPick={(id) => {
              of.want(id, unsaid);
              setOpen(id);
            }}
          />
        </>
      )}
    </Section>
  );
}

interface RowsProps {
  readonly rules: Rules;
  readonly locked: string | undefined;
  readonly mayHere: ReadonlySet<Permission> | undefined;
  readonly onChange: (rules: Rules) => void;
}

function Rows({ rules, locked, mayHere, onChange }: RowsProps): ReactNode {
  const say = useSay();
  return (
    <>
      {locked !== undefined && <p className="py-1.5 text-13 text-muted">{locked}</p>}
      <ul>
        {groups
          .flatMap((group) => group.permissions)
          .filter((one) => inChannels.has(one))
          .map((permission) => {
            const words = wordsOf(permission);
            return (
              <PermissionRow
                key={permission}
                title={say(words.title)}
                hint={say(words.hint)}
                value={said(rules, permission)}
                why={locked !== undefined ? "" : mayHere?.has(permission) === true ? undefined : say("roles.lacking")}
                onChange={(says) => onChange(saying(rules, permission, says))}
              />
            );
          })}
      </ul>
    </>
  );
}

/** What one may do oneself in a channel; undefined until that is known. */
function useMayHere(channelId: string): ReadonlySet<Permission> | undefined {
  const { communityId, policy } = useManaging();
  const may = useKept((kept) => kept.may);
  const [here, setHere] = useState<ReadonlySet<Permission>>();
  useEffect(() => {
    let left = false;
    policy.listPermissions({ communityId, channelId }).then(
      ({ permissions }) => left || setHere(new Set(permissions)),
      () => {},
    );
    return () => void (left = true);
  }, [policy, communityId, channelId, may]);
  return here;
}
