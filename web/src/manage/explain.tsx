import { Ban, Check, ChevronRight, CircleCheck, Hash, History, Megaphone, Minus, Scale, Shield, UserMinus, UserPlus, Users, X } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { timestampDate } from "@bufbuild/protobuf/wkt";

import { Permission } from "@creavio/client/options/v1/permission";
import { OverrideService } from "@creavio/client/rbac/v1/override_service";
import type { ExplainResponse, Step } from "@creavio/client/rbac/v1/policy_service";
import type { ChannelOverride } from "@creavio/client/rbac/v1/role";
import { go } from "@/route";
import { Picker } from "@/settings/picker";
import { useKnown } from "@/store/react";
import { whole } from "@/ui/dates";
import { Button, classes, IconButton, Wrong } from "@/ui/parts";
import { wrong } from "@/ui/wrong";

import { type Question, useExplaining } from "./explaining";
import type { Key } from "./en";
import { WhoMay } from "./late";
import { useKept, useManaging, useMay, useMine } from "./managing";
import { Panel, usePermissionPicks, usePlacePicks } from "./panel";
import { useMembers, useNameOf, usePeoplePicks, useRoleName } from "./parts";
import { inChannels } from "./permissions";
import { type Policy, type Remedy, remedies, type Rule, rulesOf } from "./policy";
import { useSay } from "./texts";

/** A page with the answer to a question beside it; on a phone the answer is the page. */
export function WithExplain({ children }: { readonly children: ReactNode }): ReactNode {
  const { asked } = useExplaining();
  const open = asked !== undefined;
  useEffect(() => {
    if (!open) return;
    const before = document.activeElement;
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [open]);
  return (
    <div className="flex min-h-0 grow">
      <div className={classes("flex min-h-0 min-w-0 grow flex-col", asked !== undefined && "max-mid:hidden")}>{children}</div>
      {asked !== undefined && (asked.userId === "" ? <WhoMay question={asked} /> : <Explain question={asked} />)}
    </div>
  );
}

interface Answer {
  readonly explained: ExplainResponse;
  /** Undefined where one may not know them. */
  readonly overrides: readonly ChannelOverride[] | undefined;
}

function Explain({ question }: { readonly question: Question }): ReactNode {
  const say = useSay();
  const { ask, changes, changed } = useExplaining();
  const managing = useManaging();
  const { communityId, actions } = managing;
  const manages = useMay(Permission.MANAGE_ROLES);
  const roles = useKept((kept) => kept.roles);
  const { userId, permission } = question;
  const channelId = inChannels.has(permission) ? question.channelId : "";
  const held = useKept((kept) => kept.memberRoles[userId]);
  const [answer, setAnswer] = useState<Answer>();
  const [error, setError] = useState<string>();
  useEffect(() => managing.knowRoles([userId]), [managing, userId]);
  useEffect(() => {
    let left = false;
    const overrides =
      manages && channelId !== ""
        ? actions.api.client.service(OverrideService).listOverrides({ communityId, channelId }).then((page) => page.overrides)
        : undefined;
    Promise.all([managing.policy.explain({ communityId, userId, permission, channelId }), overrides]).then(
      ([explained, there]) => {
        if (left) return;
        setAnswer({ explained, overrides: there });
        setError(undefined);
      },
      (thrown: unknown) => {
        if (left) return;
        setAnswer(undefined);
        setError(wrong(thrown));
      },
    );
    return () => void (left = true);
  }, [managing, actions, communityId, userId, permission, channelId, manages, roles, held, changes]);
  return (
    <Panel icon={Scale} title={say("explain.title")} close={say("explain.close")}>
      <Ask question={question} channelId={channelId} />
      <Wrong>{error}</Wrong>
      {answer !== undefined && (
        <>
          <Answered question={{ ...question, channelId }} answer={answer} held={held} />
          <p className="flex items-center gap-1.5 text-12 text-faint">
            <History size={14} aria-hidden />
            {say("explain.stamp", { revision: String(answer.explained.revision) })}
            <button type="button" className="ms-auto min-h-6 rounded-small px-1 text-accent-text hover:underline" onClick={changed}>
              {say("explain.again")}
            </button>
          </p>
          {manages && (
            <Button className="self-start" onClick={() => ask({ ...question, userId: "" })}>
              <Users size={16} aria-hidden /> {say("who.else")}
            </Button>
          )}
        </>
      )}
    </Panel>
  );
}

function Ask({ question, channelId }: { readonly question: Question; readonly channelId: string }): ReactNode {
  const say = useSay();
  const { ask } = useExplaining();
  const manages = useMay(Permission.MANAGE_ROLES);
  const me = useKnown((state) => state.me?.id ?? "");
  const { ids } = useMembers();
  const mine = useMemo(() => [me], [me]);
  const people = usePeoplePicks(manages ? ids : mine);
  const places = usePlacePicks();
  const permissions = usePermissionPicks();
  return (
    <div className="flex flex-wrap items-center gap-1.75 text-muted">
      <span>{say("explain.can")}</span>
      <Picker label={say("explain.who")} value={question.userId} options={people} onPick={(userId) => ask({ ...question, userId })} />
      <Picker
        label={say("explain.what")}
        value={String(question.permission)}
        options={permissions}
        onPick={(picked) => ask({ ...question, permission: Number(picked) })}
      />
      <span className="flex min-w-0 items-center gap-1.75">
        {say("explain.in")}
        <Picker
          label={say("explain.where")}
          value={channelId}
          disabled={!inChannels.has(question.permission)}
          options={places}
          onPick={(picked) => ask({ ...question, channelId: picked })}
        />
      </span>
    </div>
  );
}

interface AnsweredProps {
  readonly question: Question;
  readonly answer: Answer;
  readonly held: readonly string[] | undefined;
}

const noRoles: readonly string[] = [];

function Answered({ question, answer: { explained, overrides }, held = noRoles }: AnsweredProps): ReactNode {
  const say = useSay();
  const { communityId } = useManaging();
  const nameOf = useNameOf();
  const roleName = useRoleName();
  const roles = useKept((kept) => kept.roles);
  const may = useKept((kept) => kept.may);
  const manages = useMay(Permission.MANAGE_ROLES);
  const mine = useMine();
  const channel = useKnown((state) => state.channels[communityId]?.find((one) => one.id === question.channelId)?.name ?? "");
  const name = nameOf(question.userId);
  const last = explained.steps.at(-1);
  if (last === undefined) return null;
  const stopped = last.timeoutExpireTime !== undefined || last.pending;
  const called = (id: string): string => {
    if (id.startsWith("usr_")) return nameOf(id);
    const role = roles.find((one) => one.id === id);
    return role === undefined ? (explained.steps.find((one) => one.decidedBy === id)?.roleName ?? "") : roleName(role);
  };
  // Seeing is decided in the community alone; the rest where it is asked.
  const here: Policy = { roles, overrides: last.permission === Permission.VIEW_COMMUNITY || question.channelId === "" ? undefined : (overrides ?? []) };
  const person = { id: question.userId, roleIds: held };
  const known = overrides !== undefined || question.channelId === "";
  const all = stopped ? [] : known ? rulesOf(here, person, last.permission) : decidingOnly(last);
  const decides = all.findIndex((rule) => rule.applies);
  // Behind the one that decided, what is not about the person says nothing.
  const rules = all.filter((rule, at) => rule.applies || decides < 0 || at < decides);
  const offered = manages && !stopped && known && may !== undefined ? remedies({ roles, overrides: question.channelId === "" ? undefined : (overrides ?? []) }, person, question.permission, mine, may) : [];
  return (
    <>
      <div
        role="status"
        className={classes("flex items-center gap-3 rounded-card px-3.5 py-3.25", explained.allowed ? "bg-positive-soft" : "bg-danger-soft")}
      >
        <span className={classes("shrink-0", explained.allowed ? "text-positive" : "text-danger")}>
          {explained.allowed ? <CircleCheck size={18} strokeWidth={1.75} aria-hidden /> : <Ban size={18} strokeWidth={1.75} aria-hidden />}
        </span>
        <span>
          <b className="block text-15 font-semibold">{say(verdictOf(explained, last, question.permission), { role: called(last.decidedBy), name })}</b>
          <small className="block text-12 text-muted">
            {last.timeoutExpireTime !== undefined
              ? say("explain.until", { time: whole(timestampDate(last.timeoutExpireTime)) })
              : say(last.pending ? "explain.pendingWhy" : last.decidedBy === "" ? "explain.noRule" : "explain.oneRule")}
          </small>
        </span>
      </div>
      <ol className="grid">
        {explained.steps.slice(0, -1).map((step) => (
          <Point
            key={step.permission}
            look="yes"
            title={say(step.permission === Permission.VIEW_COMMUNITY ? "explain.seesPlace" : "explain.seesChannel", { role: called(step.decidedBy) })}
            code={codeOf(step.channelId === "" ? "" : channel, called(step.decidedBy), "allow")}
          />
        ))}
        {rules.map((rule) => (
          <Point
            key={`${rule.where} ${rule.targetId}`}
            look={!rule.applies ? "skip" : rule.says === "allow" ? "yes" : "no"}
            decides={rule === all[decides]}
            title={say(titleOf(rule), { role: called(rule.targetId), channel })}
            hint={say(hintOf(rule, rule.applies && rule !== all[decides]), { name })}
            code={codeOf(rule.where === "channel" ? channel : "", called(rule.targetId), rule.says)}
          />
        ))}
      </ol>
      {offered.length > 0 && (
        <div className="grid gap-1.5">
          <h3 className="text-13 font-semibold">{say("explain.change")}</h3>
          {offered.map((remedy) => (
            <Way key={JSON.stringify(remedy)} remedy={remedy} question={question} called={called} channel={channel} />
          ))}
        </div>
      )}
    </>
  );
}

/** Where the other rules are not told: the one that was. */
function decidingOnly(step: Step): Rule[] {
  if (step.decidedBy === "") return [];
  return [
    {
      where: step.channelId === "" ? "community" : "channel",
      targetId: step.decidedBy,
      says: step.allowed ? "allow" : "deny",
      applies: true,
    },
  ];
}

function verdictOf({ allowed }: ExplainResponse, last: Step, asked: Permission): Key {
  if (last.timeoutExpireTime !== undefined) return "explain.no.timeout";
  if (last.pending) return "explain.no.pending";
  if (!allowed && last.permission !== asked) {
    return last.permission === Permission.VIEW_COMMUNITY ? "explain.no.place" : "explain.no.channel";
  }
  if (last.decidedBy === "") return "explain.no.nothing";
  const who = last.channelId === "" ? "role" : "here";
  return `explain.${allowed ? "yes" : "no"}.${who}`;
}

function titleOf({ where, says, applies }: Rule): Key {
  const said = applies ? says : (`would.${says}` as const);
  return `explain.${where}.${said}`;
}

function hintOf({ where, targetId, applies }: Rule, after: boolean): Key {
  if (!applies) return "explain.hasNot";
  if (after) return "explain.after";
  if (where === "community") return "explain.has";
  return targetId.startsWith("usr_") ? "explain.personFirst" : "explain.channelFirst";
}

function codeOf(channel: string, target: string, says: "allow" | "deny"): string {
  const [place, whom] = channel === "" ? ["role", [target]] : ["channel", [channel, target]];
  return [`${place} ${whom.join(" · ")}`, says].join(" · ").toLocaleLowerCase();
}

interface PointProps {
  readonly look: "yes" | "no" | "skip";
  readonly decides?: boolean;
  readonly title: string;
  readonly hint?: string;
  readonly code: string;
}

function Point({ look, decides = false, title, hint, code }: PointProps): ReactNode {
  const say = useSay();
  const Icon = look === "yes" ? Check : look === "no" ? X : Minus;
  return (
    <li className="relative grid grid-cols-[1.375rem_minmax(0,1fr)] gap-3 pb-4 not-last:before:absolute not-last:before:start-[0.65625rem] not-last:before:top-6 not-last:before:bottom-0.5 not-last:before:w-px not-last:before:bg-line-strong not-last:before:opacity-50">
      <span
        className={classes(
          "grid size-5.5 place-items-center rounded-full",
          decides && look === "no" && "bg-danger-fill text-on-danger",
          decides && look === "yes" && "bg-accent text-on-accent",
          !decides && (look === "yes" ? "bg-positive-soft text-positive" : "bg-hover text-faint"),
        )}
      >
        <Icon size={14} strokeWidth={2} aria-hidden />
      </span>
      <span className="min-w-0 [overflow-wrap:anywhere]">
        <b className={classes("block leading-5.5", decides ? "font-bold" : "font-medium")}>
          {title}
          {decides && (
            <span className="ms-1.5 inline-block rounded-small bg-overlay px-1.5 align-[1px] text-11 font-medium text-muted shadow-1">{say("explain.decides")}</span>
          )}
        </b>
        {hint !== undefined && <small className="block text-12 text-muted">{hint}</small>}
        <code dir="ltr" className="mt-1.25 inline-block rounded-small bg-raised px-1 text-11 text-faint shadow-[inset_0_0_0_1px_var(--line)] font-mono max-mid:bg-sunken">
          {code}
        </code>
      </span>
    </li>
  );
}

interface WayProps {
  readonly remedy: Remedy;
  readonly question: Question;
  readonly called: (id: string) => string;
  readonly channel: string;
}

const wayIcons = { grant: UserPlus, take: UserMinus, allowHere: Megaphone, denyHere: Hash, edit: Shield } as const;

/** Something that would change the answer; it leads to where that is done. */
function Way({ remedy, question, called, channel }: WayProps): ReactNode {
  const say = useSay();
  const { communityId } = useManaging();
  const { ask } = useExplaining();
  const target = "roleId" in remedy ? remedy.roleId : remedy.targetId;
  const [page, item] =
    remedy.do === "edit" ? ["roles", target] : remedy.do === "grant" || remedy.do === "take" ? ["members", question.userId] : ["channels", question.channelId];
  const Icon = wayIcons[remedy.do];
  return (
    <button
      type="button"
      className="flex min-h-10 items-center gap-2.5 rounded-control bg-overlay px-3 py-1.5 text-start text-13 shadow-[inset_0_0_0_1px_var(--line)] hover:bg-hover max-mid:min-h-11"
      onClick={() => {
        // A phone shows the answer in place of what it leads to.
        if (matchMedia("(max-width: 640px)").matches) ask(undefined);
        go({ at: "manage", communityId, page, item });
      }}
    >
      <Icon size={16} aria-hidden className="shrink-0 text-accent-text" />
      <span className="min-w-0 grow">{say(`explain.do.${remedy.do}`, { role: called(target), name: called(question.userId), channel })}</span>
      <ChevronRight size={16} aria-hidden className="shrink-0 text-faint rtl:-scale-x-100" />
    </button>
  );
}

/** Asks why somebody may or may not, in the panel. */
export function WhyButton({ question }: { readonly question: Question }): ReactNode {
  const say = useSay();
  const { ask } = useExplaining();
  return (
    <IconButton label={say("explain.title")} onClick={() => ask(question)}>
      <Scale size={18} strokeWidth={1.75} aria-hidden />
    </IconButton>
  );
}

