import { Check, X } from "lucide-react";
import type { ReactNode } from "react";

import { Permission } from "@creavio/client/options/v1/permission";
import type { Role } from "@creavio/client/rbac/v1/role";
import { RoleKind } from "@creavio/client/rbac/v1/role";
import { figure, listed } from "@/i18n/plural";
import { useKnown } from "@/store/react";
import { classes } from "@/ui/parts";

import { useManaging } from "../managing";
import { useRoleName } from "../parts";
import { wordsOf } from "../permissions";
import type { Decision } from "../policy";
import type { Missed, Outcome } from "./outcome";
import { useSay } from "./texts";

interface CasesProps {
  readonly outcomes: readonly Outcome[];
  /** The roles that were asked. */
  readonly roles: readonly Role[];
}

/** How each case fared. */
export function Cases({ outcomes, roles }: CasesProps): ReactNode {
  const say = useSay();
  return (
    <ol aria-label={say("tests.results")} className="grid gap-2">
      {outcomes.map((one) => (
        <Fared key={one.of.line} outcome={one} roles={roles} />
      ))}
    </ol>
  );
}

function Fared({ outcome: { of, missed }, roles }: { readonly outcome: Outcome; readonly roles: readonly Role[] }): ReactNode {
  const say = useSay();
  const { communityId } = useManaging();
  const roleName = useRoleName();
  const channel = useKnown((state) => state.channels[communityId]?.find((one) => one.id === of.channelId)?.name);
  const holds = missed.length === 0;
  const called = (id: string): string => {
    const role = roles.find((one) => one.id === id);
    return role === undefined ? "" : roleName(role);
  };
  const everyone = roles.find((one) => one.kind === RoleKind.MEMBER);
  const who = of.roleIds.length > 0 ? of.roleIds.map(called) : everyone === undefined ? [] : [roleName(everyone)];
  const kept = (permissions: readonly Permission[]): string =>
    listed(permissions.filter((permission) => missed.every((one) => one.permission !== permission)).map((permission) => say(wordsOf(permission).title)));
  const [may, mayNot] = [kept(of.may), kept(of.mayNot)];
  const Icon = holds ? Check : X;
  return (
    <li className="grid grid-cols-[1.375rem_minmax(0,1fr)] gap-3 rounded-card bg-overlay px-3.5 py-3 shadow-1 [overflow-wrap:anywhere]">
      <span className={classes("grid size-5.5 place-items-center rounded-full", holds ? "bg-positive-soft text-positive" : "bg-danger-fill text-on-danger")}>
        <Icon size={14} strokeWidth={2} aria-hidden />
      </span>
      <div className="grid min-w-0 gap-1.5">
        <p>
          <b className="block leading-5.5 font-medium">
            <bdi>{of.name === "" ? say("tests.unnamed", { line: figure(of.line) }) : of.name}</bdi>
            <span className="sr-only">: {say(holds ? "tests.holds" : "tests.holdsNot")}</span>
          </b>
          <small className="block text-12 text-muted">
            <bdi>{who.join(" + ")}</bdi> · <bdi>{channel === undefined ? say("explain.everywhere") : `#${channel}`}</bdi>
          </small>
        </p>
        {missed.length > 0 && (
          <ul className="grid gap-1.5">
            {missed.map((one) => (
              <Miss key={one.permission} missed={one} called={called} channel={channel ?? ""} />
            ))}
          </ul>
        )}
        {may !== "" && <p className="text-12 text-muted">{say("tests.may", { what: may })}</p>}
        {mayNot !== "" && <p className="text-12 text-muted">{say("tests.mayNot", { what: mayNot })}</p>}
      </div>
    </li>
  );
}

interface MissProps {
  readonly missed: Missed;
  readonly called: (id: string) => string;
  readonly channel: string;
}

/** What was expected, what is so, and the rule by which it is. */
function Miss({ missed: { permission, allowed, why }, called, channel }: MissProps): ReactNode {
  const say = useSay();
  const because = ({ permission: last, rule }: Decision): string => {
    const said = rule === undefined ? say("explain.noRule") : say(`explain.${rule.where}.${rule.says}`, { role: called(rule.targetId), channel });
    if (last === permission) return said;
    return say(last === Permission.VIEW_COMMUNITY ? "tests.noPlace" : "tests.noChannel", { why: said });
  };
  return (
    <li className="border-s-2 border-danger ps-2.5 text-13">
      <b className="block font-medium">{say(wordsOf(permission).title)}</b>
      <span className="block text-danger">{say(allowed ? "tests.shouldNot" : "tests.shouldMay")}</span>
      {why !== undefined && <span className="block text-12 text-muted">{because(why)}</span>}
    </li>
  );
}
