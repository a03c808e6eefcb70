import { ChevronRight, Clock } from "lucide-react";
import { type ReactNode, useDeferredValue, useMemo, useState } from "react";

import { Permission } from "@creavio/client/options/v1/permission";
import { RoleKind } from "@creavio/client/rbac/v1/role";
import { go, type Place } from "@/route";
import { SettingsHeader } from "@/settings/frame";
import { Nothing } from "@/settings/page";
import { Select } from "@/settings/select";
import { useKnown } from "@/store/react";
import { useNarrow } from "@/ui/narrow";
import { Avatar, classes } from "@/ui/parts";

import { WithExplain } from "./explain";
import { useKept, useManaging, useMay } from "./managing";
import { MemberPage } from "./member";
import type { PageProps } from "./page";
import { Split, Swatch, useBack, useCounted, useMembers, usePeoplePicks, useRoleName } from "./parts";
import { useSay } from "./texts";
import { useTimeouts } from "./timeouts";

/** Who belongs to a community, what they may do, and what is done about them. */
export function Members({ community, item, list }: PageProps): ReactNode {
  const say = useSay();
  const count = useCounted();
  const { ids } = useMembers();
  const narrow = useNarrow();
  const back = useBack("members", item, list);
  const moderates = useMay(Permission.MODERATE_MEMBERS);
  const timeouts = useTimeouts(moderates);
  const chosen = ids.includes(item) ? item : "";
  return (
    <>
      <SettingsHeader title={say("members.title")} lead={count("roles.people", ids.length)} list={back} />
      <WithExplain>
        <Split wide item={chosen} list={<MemberList chosen={chosen} timedOut={timeouts.until} />}>
          {chosen !== "" ? (
            <MemberPage key={chosen} userId={chosen} community={community} timeouts={timeouts} />
          ) : (
            !narrow && <p className="m-auto max-w-72 p-6 text-center text-muted">{say("members.choose")}</p>
          )}
        </Split>
      </WithExplain>
    </>
  );
}

const shownRoles = 3;

function MemberList({ chosen, timedOut }: { readonly chosen: string; readonly timedOut: ReadonlyMap<string, unknown> }): ReactNode {
  const say = useSay();
  const { communityId } = useManaging();
  const { ids } = useMembers();
  const people = usePeoplePicks(ids);
  const roles = useKept((kept) => kept.roles);
  const memberRoles = useKept((kept) => kept.memberRoles);
  const roleName = useRoleName();
  const users = useKnown((state) => state.users);
  const [typed, setTyped] = useState("");
  const [roleId, setRoleId] = useState("");
  const wanted = useDeferredValue(typed.trim().toLocaleLowerCase());
  const found = useMemo(
    () =>
      people.filter(
        ({ value, title, hint }) =>
          `${title} ${hint ?? ""}`.toLocaleLowerCase().includes(wanted) && (roleId === "" || memberRoles[value]?.includes(roleId) === true),
      ),
    [people, wanted, roleId, memberRoles],
  );
  const custom = roles.filter((one) => one.kind !== RoleKind.MEMBER);
  return (
    <div className="grid gap-2.5">
      <div className="grid gap-2 px-1">
        <input
          type="search"
          aria-label={say("members.find")}
          placeholder={say("members.find")}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          className="min-h-9 min-w-0 rounded-control bg-overlay px-3 shadow-[inset_0_0_0_1px_var(--line-strong)] focus:outline-2 focus:-outline-offset-1 focus:outline-focus max-mid:min-h-11"
        />
        {custom.length > 1 && (
          <Select
            label={say("members.role")}
            labelled={false}
            value={roleId}
            options={[{ value: "", title: say("members.anyRole") }, ...custom.map((one) => ({ value: one.id, title: roleName(one) }))]}
            onChange={setRoleId}
          />
        )}
      </div>
      {found.length === 0 && ids.length > 0 && <Nothing>{say("members.nobody")}</Nothing>}
      <ul aria-label={say("members.title")} className="grid">
        {found.map(({ value: id, title: name, hint }) => {
          const held = custom.filter((one) => memberRoles[id]?.includes(one.id)).slice(0, shownRoles);
          return (
            // Thousands of rows are laid out as they come into sight.
            <li key={id} className="[content-visibility:auto] [contain-intrinsic-size:auto_3.25rem]">
              <button
                type="button"
                aria-current={id === chosen ? "true" : undefined}
                onClick={() => go(at(communityId, id))}
                className={classes("flex min-h-13 w-full items-center gap-2.5 rounded-[9px] px-2 text-start", id === chosen ? "bg-accent-soft" : "hover:bg-hover")}
              >
                <Avatar id={id} />
                <span className="min-w-0 grow">
                  <span dir="auto" className="block truncate font-medium">
                    {name}
                  </span>
                  <span className="block truncate text-12 text-muted">
                    <bdi>{hint}</bdi>
                    {users[id]?.bot === true && ` · ${say("bots.bot")}`}
                  </span>
                </span>
                {timedOut.has(id) && <Clock size={14} role="img" aria-label={say("members.timedOut")} className="shrink-0 text-warning" />}
                <span className="flex shrink-0 gap-1">
                  {held.map((one) => (
                    <Swatch key={one.id} role={one} />
                  ))}
                </span>
                <ChevronRight size={16} aria-hidden className="text-faint wide:hidden rtl:-scale-x-100" />
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function at(communityId: string, item: string): Place {
  return { at: "manage", communityId, page: "members", item };
}
