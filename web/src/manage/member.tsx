import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Ban, Clock, Crown, UserX, X } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";

import { BanService } from "@creavio/client/community/v1/ban_service";
import type { Community } from "@creavio/client/community/v1/community";
import { Permission } from "@creavio/client/options/v1/permission";
import { type Role, RoleKind } from "@creavio/client/rbac/v1/role";
import { go } from "@/route";
import { Section } from "@/settings/page";
import { Confirm } from "@/ui/confirm";
import { Picker } from "@/settings/picker";
import { Select } from "@/settings/select";
import { useKnown } from "@/store/react";
import { whole } from "@/ui/dates";
import { Avatar, Button, Field, Wrong } from "@/ui/parts";

import { WhyButton } from "./explain";
import { useKept, useManaging, useMay, useMine } from "./managing";
import { BackToList, Swatch, useChange, useNameOf, useRoleName } from "./parts";
import { rank } from "./policy";
import { useSay } from "./texts";
import type { Timeouts } from "./timeouts";

interface MemberPageProps {
  readonly userId: string;
  readonly community: Community;
  readonly timeouts: Timeouts;
}

const none: readonly string[] = [];

/** One member: their roles, and what can be done about them. */
export function MemberPage({ userId, community, timeouts }: MemberPageProps): ReactNode {
  const say = useSay();
  const managing = useManaging();
  const { communityId } = managing;
  const roles = useKept((kept) => kept.roles);
  const held = useKept((kept) => kept.memberRoles[userId]);
  const mine = useMine();
  const me = useKnown((state) => state.me?.id ?? "");
  const user = useKnown((state) => state.users[userId]);
  const name = useNameOf()(userId);
  useEffect(() => managing.knowRoles([userId]), [managing, userId]);
  const below = userId !== me && held !== undefined && rank(roles, held) > rank(roles, mine);
  const owns = community.ownerId === me;
  return (
    <div className="min-h-0 grow overflow-y-auto px-4 pt-4.5 pb-10 mid:px-5 wide:px-6">
      <div className="mx-auto grid max-w-[44rem] gap-7">
        <div className="flex items-center gap-3">
          <BackToList to={{ at: "manage", communityId, page: "members", item: "" }} />
          <Avatar id={userId} />
          <div className="min-w-0 grow">
            <h2 dir="auto" className="truncate font-display text-20 font-bold tracking-[-0.015em]">
              {name}
            </h2>
            <p className="truncate text-13 text-faint">
              <bdi>@{user?.handle}</bdi>
              {user?.bot === true && ` · ${say("bots.bot")}`}
            </p>
          </div>
          <WhyButton question={{ userId, permission: Permission.SEND_MESSAGES, channelId: "" }} />
        </div>
        <MemberRoles userId={userId} name={name} held={held ?? none} reachable={below || userId === me} />
        {below ? (
          <Care userId={userId} name={name} timeouts={timeouts} />
        ) : (
          <p className="rounded-card bg-sunken px-4 py-3 text-13 text-muted">{say(userId === me ? "members.you" : "members.tooHigh", { name })}</p>
        )}
        {owns && userId !== me && user?.bot !== true && <HandOver userId={userId} name={name} community={community} />}
      </div>
    </div>
  );
}

interface MemberRolesProps {
  readonly userId: string;
  readonly name: string;
  readonly held: readonly string[];
  readonly reachable: boolean;
}

function MemberRoles({ userId, name, held, reachable }: MemberRolesProps): ReactNode {
  const say = useSay();
  const managing = useManaging();
  const { communityId } = managing;
  const roles = useKept((kept) => kept.roles);
  const manages = useMay(Permission.MANAGE_ROLES);
  const mine = useMine();
  const roleName = useRoleName();
  const top = rank(roles, mine);
  const gives = (role: Role, at: number): boolean => manages && reachable && role.kind === RoleKind.CUSTOM && at > top;
  const theirs = roles.filter((one) => held.includes(one.id) && one.kind !== RoleKind.MEMBER);
  const [given, setGiven] = useState("");
  const give = useChange(async () => {
    const { roleIds } = await managing.roles.grantRole({ communityId, userId, roleId: given });
    managing.hold(userId, roleIds);
    setGiven("");
  });
  const options = roles
    .filter((one, at) => gives(one, at) && !held.includes(one.id))
    .map((one) => ({ value: one.id, title: roleName(one), sign: <Swatch role={one} /> }));
  return (
    <Section title={say("roles.title")}>
      <ul className="flex flex-wrap gap-1.5">
        {theirs.map((one) => (
          <Held key={one.id} role={one} userId={userId} name={name} takes={gives(one, roles.indexOf(one))} />
        ))}
        {theirs.length === 0 && <li className="text-13 text-muted">{say("members.noRoles", { name })}</li>}
      </ul>
      {options.length > 0 && (
        <div className="flex flex-wrap items-center gap-2">
          <Picker label={say("members.pickRole")} value={given} options={options} onPick={setGiven} className="min-h-9!" />
          <Button disabled={given === "" || give.busy} onClick={() => give.submit()}>
            {say("roles.give")}
          </Button>
        </div>
      )}
      <Wrong>{give.error}</Wrong>
    </Section>
  );
}

interface HeldProps {
  readonly role: Role;
  readonly userId: string;
  readonly name: string;
  readonly takes: boolean;
}

function Held({ role, userId, name, takes }: HeldProps): ReactNode {
  const say = useSay();
  const managing = useManaging();
  const { communityId } = managing;
  const roleName = useRoleName();
  const take = useChange(async () => {
    await managing.roles.revokeRole({ communityId, userId, roleId: role.id });
    managing.hold(userId, (managing.kept.getState().memberRoles[userId] ?? []).filter((id) => id !== role.id));
  });
  return (
    <li className="inline-flex min-h-8 items-center gap-2 rounded-[9px] bg-sunken ps-2.5 pe-1 text-13 font-medium max-mid:min-h-11">
      <Swatch role={role} />
      <span dir="auto" className="pe-1.5">
        {roleName(role)}
      </span>
      {takes && (
        <button
          type="button"
          aria-label={say("members.takeRole", { role: roleName(role), name })}
          title={say("roles.take")}
          disabled={take.busy}
          onClick={() => take.submit()}
          className="grid size-6 place-items-center rounded-small text-muted hover:bg-hover hover:text-text max-mid:size-9"
        >
          <X size={14} strokeWidth={2} aria-hidden />
        </button>
      )}
      <Wrong>{take.error}</Wrong>
    </li>
  );
}

const spans = [60, 600, 3600, 86_400, 604_800] as const;
const spanNames = ["care.minute", "care.tenMinutes", "care.hour", "care.day", "care.week"] as const;

interface CareProps {
  readonly userId: string;
  readonly name: string;
  readonly timeouts: Timeouts;
}

/** Timing out, removing and banning. */
function Care({ userId, name, timeouts }: CareProps): ReactNode {
  const say = useSay();
  const { actions, communityId } = useManaging();
  const moderates = useMay(Permission.MODERATE_MEMBERS);
  const removes = useMay(Permission.REMOVE_MEMBERS);
  const bans = useMay(Permission.BAN_MEMBERS);
  const [asked, setAsked] = useState<"timeout" | "remove" | "ban">();
  const [reason, setReason] = useState("");
  const [seconds, setSeconds] = useState<number>(600);
  const until = timeouts.until.get(userId);
  const close = (): void => {
    setAsked(undefined);
    setReason("");
  };
  const end = useChange(() => timeouts.end(userId));
  const timeOut = useChange(async () => {
    await timeouts.set(userId, seconds, reason);
    close();
  });
  const gone = (): void => {
    go({ at: "manage", communityId, page: "members", item: "" }, "replace");
    actions.heard({ case: "memberRemoved", value: { communityId, userId } as never });
  };
  const remove = useChange(async () => {
    await actions.api.members.removeMember({ communityId, userId });
    gone();
  });
  const ban = useChange(async () => {
    await actions.api.client.service(BanService).createBan({ communityId, userId, reason });
    gone();
  });
  if (!moderates && !removes && !bans) return null;
  const why = <Field label={say("care.reason")} hint={say("care.reasonHint")} maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />;
  return (
    <Section title={say("care.title")}>
      {until !== undefined && (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-card bg-warning-soft px-3.5 py-2.5">
          <Clock size={16} aria-hidden className="shrink-0 text-warning" />
          <p className="min-w-0 grow basis-40 text-13 [overflow-wrap:anywhere]">
            {until.expireTime !== undefined && say("care.timedOutUntil", { time: whole(timestampDate(until.expireTime)) })}
            {until.reason !== "" && <span className="block text-muted">{until.reason}</span>}
          </p>
          <Button disabled={end.busy} onClick={() => end.submit()}>
            {say("care.endTimeout")}
          </Button>
          <Wrong>{end.error}</Wrong>
        </div>
      )}
      <div className="flex flex-wrap gap-2">
        {moderates && (
          <Button onClick={() => setAsked("timeout")}>
            <Clock size={16} aria-hidden /> {say("care.timeout")}
          </Button>
        )}
        {removes && (
          <Button onClick={() => setAsked("remove")}>
            <UserX size={16} aria-hidden /> {say("care.remove")}
          </Button>
        )}
        {bans && (
          <Button className="text-danger!" onClick={() => setAsked("ban")}>
            <Ban size={16} aria-hidden /> {say("care.ban")}
          </Button>
        )}
      </div>
      {asked === "timeout" && (
        <Confirm
          title={say("care.timeoutSure", { name })}
          lead={say("care.timeoutLead")}
          action={say("care.timeout")}
          danger={false}
          busy={timeOut.busy}
          error={timeOut.error}
          onDo={() => timeOut.submit()}
          onClose={close}
        >
          <Select
            label={say("care.howLong")}
            value={seconds}
            options={spans.map((one, at) => ({ value: one, title: say(spanNames[at] ?? "care.hour") }))}
            onChange={setSeconds}
          />
          {why}
        </Confirm>
      )}
      {asked === "remove" && (
        <Confirm
          title={say("care.removeSure", { name })}
          lead={say("care.removeLead")}
          action={say("care.remove")}
          busy={remove.busy}
          error={remove.error}
          onDo={() => remove.submit()}
          onClose={close}
        />
      )}
      {asked === "ban" && (
        <Confirm
          title={say("care.banSure", { name })}
          lead={say("care.banLead")}
          action={say("care.ban")}
          busy={ban.busy}
          error={ban.error}
          onDo={() => ban.submit()}
          onClose={close}
        >
          {why}
        </Confirm>
      )}
    </Section>
  );
}

interface HandOverProps {
  readonly userId: string;
  readonly name: string;
  readonly community: Community;
}

/** Hands the community to a member; the name of it is typed first. */
function HandOver({ userId, name, community }: HandOverProps): ReactNode {
  const say = useSay();
  const { actions } = useManaging();
  const [asked, setAsked] = useState(false);
  const give = useChange(async () => {
    const changed = await actions.api.communities.transferOwnership({ communityId: community.id, userId });
    actions.heard({ case: "communityUpdated", value: { community: changed } as never });
    setAsked(false);
  });
  return (
    <Section title={say("members.handOver")} lead={say("members.handOverHint", { name })}>
      <Button className="justify-self-start" onClick={() => setAsked(true)}>
        <Crown size={16} aria-hidden /> {say("members.handOverDo", { name })}
      </Button>
      {asked && (
        <Confirm
          title={say("members.handOverSure", { place: community.name, name })}
          lead={say("members.handOverLead", { name })}
          action={say("members.handOverDo", { name })}
          typed={{ label: say("members.typeName", { name: community.name }), text: community.name }}
          busy={give.busy}
          error={give.error}
          onDo={() => give.submit()}
          onClose={() => setAsked(false)}
        />
      )}
    </Section>
  );
}
