import { Ban, Bot, CalendarDays, DoorOpen, Hash, House, LayoutTemplate, type LucideIcon, ScrollText, Shield, Smile, Ticket, Users } from "lucide-react";
import { type ComponentType, type ReactNode, useEffect, useMemo, useState } from "react";

import { Permission } from "@creavio/client/options/v1/permission";
import type { Place } from "@/route";
import { SettingsFrame } from "@/settings/frame";
import { ready as shared } from "@/settings/texts";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { useNarrow } from "@/ui/narrow";

import { Audit } from "./audit";
import { Bans } from "./bans";
import { Bots } from "./bots";
import { Channels } from "./channels";
import { EmojiPage } from "./emoji";
import type { Key } from "./en";
import { Events } from "./events";
import { ExplainingProvider, type Question } from "./explaining";
import { Invites } from "./invites";
import { Managing, ManagingProvider, useKept } from "./managing";
import { Members } from "./members";
import { Newcomers } from "./onboarding";
import { Overview } from "./overview";
import type { PageProps } from "./page";
import { Roles } from "./roles";
import { Templates } from "./templates";
import { ready as own, useSay } from "./texts";

interface Page {
  readonly name: string;
  readonly title: Key;
  readonly icon: LucideIcon;
  readonly shown: ComponentType<PageProps>;
  /** Any of these opens it; none, and it is for every member. */
  readonly needs: readonly Permission[];
}

const { MANAGE_COMMUNITY, MANAGE_CHANNELS, MANAGE_ROLES, REMOVE_MEMBERS, BAN_MEMBERS, MODERATE_MEMBERS, VIEW_AUDIT_LOG, MANAGE_EMOJI } = Permission;

const groups: readonly { readonly title: Key; readonly pages: readonly Page[] }[] = [
  {
    title: "manage.community",
    pages: [
      { name: "overview", title: "overview.title", icon: House, shown: Overview, needs: [MANAGE_COMMUNITY] },
      { name: "channels", title: "channels.title", icon: Hash, shown: Channels, needs: [MANAGE_CHANNELS, MANAGE_ROLES] },
      { name: "roles", title: "roles.title", icon: Shield, shown: Roles, needs: [MANAGE_ROLES] },
      { name: "members", title: "members.title", icon: Users, shown: Members, needs: [MANAGE_ROLES, REMOVE_MEMBERS, BAN_MEMBERS, MODERATE_MEMBERS] },
      { name: "invitations", title: "invites.title", icon: Ticket, shown: Invites, needs: [MANAGE_COMMUNITY] },
      { name: "events", title: "events.title", icon: CalendarDays, shown: Events, needs: [] },
      { name: "emoji", title: "emoji.title", icon: Smile, shown: EmojiPage, needs: [MANAGE_EMOJI] },
    ],
  },
  {
    title: "manage.care",
    pages: [
      { name: "newcomers", title: "newcomers.title", icon: DoorOpen, shown: Newcomers, needs: [MANAGE_COMMUNITY] },
      { name: "bans", title: "bans.title", icon: Ban, shown: Bans, needs: [BAN_MEMBERS, MODERATE_MEMBERS] },
      { name: "audit", title: "audit.title", icon: ScrollText, shown: Audit, needs: [VIEW_AUDIT_LOG] },
    ],
  },
  {
    title: "manage.reach",
    pages: [
      { name: "bots", title: "bots.title", icon: Bot, shown: Bots, needs: [MANAGE_COMMUNITY] },
      { name: "templates", title: "templates.title", icon: LayoutTemplate, shown: Templates, needs: [MANAGE_COMMUNITY] },
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
  if (community === undefined || may === undefined) {
    return (
      <main className="h-dvh bg-ground" aria-busy>
        <h1 className="sr-only">{say("manage.title", { name: community?.name ?? "…" })}</h1>
      </main>
    );
  }
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
