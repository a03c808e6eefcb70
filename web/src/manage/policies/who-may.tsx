import { RotateCw, Scale, Users } from "lucide-react";
import { type ReactNode, useCallback } from "react";

import { RoleKind } from "@creavio/client/rbac/v1/role";
import { counted, figure, listed } from "@/i18n/plural";
import { useListing } from "@/settings/listing";
import { Picker } from "@/settings/picker";
import { useKnown } from "@/store/react";
import { Avatar, IconButton } from "@/ui/parts";

import { type Question, useExplaining } from "../explaining";
import { useKept, useManaging } from "../managing";
import { Panel, usePermissionPicks, usePlacePicks } from "../panel";
import { Line, Listed, useNameOf, useRoleName } from "../parts";
import { inChannels } from "../permissions";
import { useSay } from "./texts";

const pageSize = 50;
/** How many pages with nobody on them are passed over at once: the platform looks at some people for each. */
const passedOver = 10;

/** Who may do something, page by page; of each it can be asked why. */
export function WhoMay({ question }: { readonly question: Question }): ReactNode {
  const say = useSay();
  const { ask, changes } = useExplaining();
  const { communityId, policy, actions } = useManaging();
  const { permission } = question;
  const channelId = inChannels.has(permission) ? question.channelId : "";
  // Another answer may follow from any of these.
  const roles = useKept((kept) => kept.roles);
  const memberRoles = useKept((kept) => kept.memberRoles);
  const fetch = useCallback(
    async (pageToken: string) => {
      let page = await policy.whoMay({ communityId, permission, channelId, pageSize, pageToken });
      for (let at = 1; at < passedOver && page.userIds.length === 0 && page.nextPageToken !== ""; at += 1) {
        page = await policy.whoMay({ communityId, permission, channelId, pageSize, pageToken: page.nextPageToken });
      }
      actions.know(page.userIds);
      return { items: page.userIds, next: page.nextPageToken };
    },
    [policy, actions, communityId, permission, channelId, changes, roles],
  );
  const found = useListing(fetch);
  const count = found.items?.length ?? 0;
  return (
    <Panel icon={Users} title={say("who.title")} close={say("who.close")}>
      <div className="flex flex-wrap items-center gap-1.75 text-muted">
        <span>{say("who.can")}</span>
        <Picker
          label={say("explain.what")}
          value={String(permission)}
          options={usePermissionPicks()}
          onPick={(picked) => ask({ ...question, permission: Number(picked) })}
        />
        <span className="flex min-w-0 items-center gap-1.75">
          {say("explain.in")}
          <Picker
            label={say("explain.where")}
            value={channelId}
            disabled={!inChannels.has(permission)}
            options={usePlacePicks()}
            onPick={(picked) => ask({ ...question, channelId: picked })}
          />
        </span>
      </div>
      <div className="flex min-h-6 items-center gap-2">
        <p role="status" className="grow text-13 font-semibold tabular-nums">
          {found.items !== undefined && count > 0 && counted(say(found.more === undefined ? "who.count" : "who.some", { count: figure(count) }), count)}
        </p>
        <IconButton label={say("explain.again")} className="size-7! max-mid:size-10!" onClick={found.again}>
          <RotateCw size={16} aria-hidden />
        </IconButton>
      </div>
      <Listed of={found} empty={say("who.none")}>
        {(userId) => <Person key={userId} userId={userId} held={memberRoles[userId]} onWhy={() => ask({ ...question, userId })} />}
      </Listed>
    </Panel>
  );
}

interface PersonProps {
  readonly userId: string;
  /** Undefined where it is not known. */
  readonly held: readonly string[] | undefined;
  readonly onWhy: () => void;
}

function Person({ userId, held, onWhy }: PersonProps): ReactNode {
  const say = useSay();
  const name = useNameOf()(userId);
  const handle = useKnown((state) => state.users[userId]?.handle ?? "");
  const roles = useKept((kept) => kept.roles);
  const roleName = useRoleName();
  // What every member has tells nobody apart.
  const called = roles.filter((one) => one.kind !== RoleKind.MEMBER && held?.includes(one.id)).map(roleName);
  return (
    <Line
      sign={<Avatar id={userId} size="s" />}
      title={name}
      hint={
        <>
          <bdi>@{handle}</bdi>
          {called.length > 0 && (
            <>
              {" · "}
              <bdi>{listed(called)}</bdi>
            </>
          )}
        </>
      }
    >
      <IconButton label={say("who.why", { name })} onClick={onWhy}>
        <Scale size={18} strokeWidth={1.75} aria-hidden />
      </IconButton>
    </Line>
  );
}
