import { UserMinus } from "lucide-react";
import { type ReactNode, useState } from "react";

import { type Role, RoleKind } from "@creavio/client/rbac/v1/role";
import { Nothing } from "@/settings/page";
import { Picker } from "@/settings/picker";
import { useKnown } from "@/store/react";
import { Avatar, Button, Wrong } from "@/ui/parts";

import { lookedAt, useKept, useManaging } from "./managing";
import { Line, useChange, useMembers, useNameOf, usePeoplePicks } from "./parts";
import { useSay } from "./texts";

interface RolePeopleProps {
  readonly role: Role;
  /** Undefined while that is not known. */
  readonly holders: readonly string[] | undefined;
  /** Whether one may not give or take it. */
  readonly locked: boolean;
}

/** Who has a role; it is given and taken here. */
export function RolePeople({ role, holders, locked }: RolePeopleProps): ReactNode {
  const say = useSay();
  const managing = useManaging();
  const { communityId } = managing;
  const { ids } = useMembers();
  const memberRoles = useKept((kept) => kept.memberRoles);
  const seen = holders ?? ids.filter((id) => memberRoles[id]?.includes(role.id));
  const others = usePeoplePicks(ids.filter((id) => !seen.includes(id)));
  const [given, setGiven] = useState("");
  const give = useChange(async () => {
    const { roleIds } = await managing.roles.grantRole({ communityId, userId: given, roleId: role.id });
    managing.hold(given, roleIds);
    setGiven("");
  });
  const gives = !locked && role.kind === RoleKind.CUSTOM;
  return (
    <section aria-label={say("roles.whoHas")} className="mt-5 grid gap-3">
      {gives && (
        <div className="flex flex-wrap items-center gap-2">
          <Picker label={say("roles.giveTo")} value={given} options={others} onPick={setGiven} className="min-h-9! grow" />
          <Button look="primary" disabled={given === "" || give.busy} onClick={() => give.submit()}>
            {say("roles.give")}
          </Button>
          <Wrong>{give.error}</Wrong>
        </div>
      )}
      {holders === undefined && ids.length > lookedAt && <p className="text-12 text-muted">{say("roles.partly", { count: lookedAt })}</p>}
      {seen.length === 0 ? (
        <Nothing>{say("roles.nobody")}</Nothing>
      ) : (
        <ul>
          {seen.map((id) => (
            <Holder key={id} userId={id} role={role} takes={gives} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Holder({ userId, role, takes }: { readonly userId: string; readonly role: Role; readonly takes: boolean }): ReactNode {
  const say = useSay();
  const managing = useManaging();
  const { communityId } = managing;
  const name = useNameOf()(userId);
  const handle = useKnown((state) => state.users[userId]?.handle ?? "");
  const take = useChange(async () => {
    await managing.roles.revokeRole({ communityId, userId, roleId: role.id });
    managing.hold(userId, (managing.kept.getState().memberRoles[userId] ?? []).filter((id) => id !== role.id));
  });
  return (
    <Line sign={<Avatar id={userId} />} title={name} hint={take.error === undefined ? <bdi>@{handle}</bdi> : <span className="text-danger">{take.error}</span>}>
      {takes && (
        <Button look="quiet" aria-label={say("roles.takeFrom", { name })} disabled={take.busy} onClick={() => take.submit()}>
          <UserMinus size={16} aria-hidden /> <span className="max-mid:sr-only">{say("roles.take")}</span>
        </Button>
      )}
    </Line>
  );
}
