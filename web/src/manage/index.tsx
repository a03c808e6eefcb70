import { House, Shield, type LucideIcon } from "lucide-react";
import { type ComponentType, type ReactNode, useEffect, useMemo, useState } from "react";

import { Permission } from "@creavio/client/options/v1/permission";
import type { Place } from "@/route";
import { SettingsFrame } from "@/settings/frame";
import { ready as shared } from "@/settings/texts";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { useNarrow } from "@/ui/narrow";

import type { Key } from "./en";
import { ExplainingProvider, type Question } from "./explaining";
import { Managing, ManagingProvider, useKept } from "./managing";
import { Overview } from "./overview";
import type { PageProps } from "./page";
import { Roles } from "./roles";
import { ready as own, useSay } from "./texts";

interface Page {
  readonly name: string;
  readonly title: Key;
  readonly icon: LucideIcon;
  readonly shown: ComponentType<PageProps>;
  /** Any of these opens it; none, and it is for every member. */
  readonly needs: readonly Permission[];
}

const groups: readonly { readonly title: Key; readonly pages: readonly Page[] }[] = [
  {
    title: "manage.community",
    pages: [
      { name: "overview", title: "overview.title", icon: House, shown: Overview, needs: [Permission.MANAGE_COMMUNITY] },
      { name: "roles", title: "roles.title", icon: Shield, shown: Roles, needs: [Permission.MANAGE_ROLES] },
    ],
  },
];

/** Resolves when what is said here is there in the language that is shown. */
export async function ready(): Promise<void> {
  await Promise.all([shared(), own()]);
}

/** The settings of a community. */
export function Manage({ communityId, page, item }: { readonly communityId: string; readonly page: string; readonly item: string }): ReactNode {
  const actions = useActions();
  const managing = useMemo(() => new Managing(actions, communityId), [actions, communityId]);
  useEffect(() => managing.follow(), [managing]);
  const [asked, setAsked] = useState<Question>();
  const [changes, setChanges] = useState(0);
  // What is asked about one page is not what is asked about the next.
  const explaining = useMemo(() => ({ asked, ask: setAsked, changes, changed: () => setChanges((now) => now + 1) }), [asked, changes]);
  return (
    <ManagingProvider value={managing}>
      <ExplainingProvider value={explaining}>
        <Pages communityId={communityId} page={page} item={item} />
      </ExplainingProvider>
    </ManagingProvider>
  );
}

function Pages({ communityId, page, item }: { readonly communityId: string; readonly page: string; readonly item: string }): ReactNode {
  const say = useSay();
  const narrow = useNarrow();
  const community = useKnown((state) => state.communities[communityId]);
  const may = useKept((kept) => kept.may);
  const to = (name: string): Place => ({ at: "manage", communityId, page: name, item: "" });
  if (community === undefined || may === undefined) return <div className="h-dvh bg-ground" aria-busy />;
  const offered = groups
    .map((group) => ({ ...group, pages: group.pages.filter(({ needs }) => needs.length === 0 || needs.some((one) => may.has(one))) }))
    .filter((group) => group.pages.length > 0);
  const all = offered.flatMap((group) => group.pages);
  const asked = all.find((one) => one.name === page);
  const current = asked ?? (narrow && page === "" ? undefined : all[0]);
  const { name } = community;
  const Shown = current?.shown;
  return (
    <SettingsFrame
      label={say("manage.title", { name })}
      current={current?.name ?? ""}
      to={to}
      back={{ title: say("manage.back", { name }), place: { at: "channel", communityId, channelId: "" } }}
      groups={offered.map((group) => ({
        title: say(group.title),
        pages: group.pages.map((one) => ({ name: one.name, title: say(one.title), icon: one.icon })),
      }))}
    >
      {Shown !== undefined && <Shown key={current?.name} community={community} item={asked === undefined ? "" : item} list={to("")} />}
    </SettingsFrame>
  );
}
