import { House } from "lucide-react";
import type { ReactNode } from "react";

import type { Place } from "@/route";
import { SettingsFrame } from "@/settings/frame";
import { ready as shared } from "@/settings/texts";
import { useKnown } from "@/store/react";
import { useNarrow } from "@/ui/narrow";

import { Overview } from "./overview";
import { ready as own, useSay } from "./texts";

const pages = { overview: Overview } as const;
const first = "overview";

/** Resolves when what is said here is there in the language that is shown. */
export async function ready(): Promise<void> {
  await Promise.all([shared(), own()]);
}

/** The settings of a community. */
export function Manage({ communityId, page }: { readonly communityId: string; readonly page: string; readonly item: string }): ReactNode {
  const say = useSay();
  const narrow = useNarrow();
  const community = useKnown((state) => state.communities[communityId]);
  if (community === undefined) return null;
  const current = page in pages ? (page as keyof typeof pages) : narrow ? "" : first;
  const Page = pages[current === "" ? first : current];
  const to = (name: string): Place => ({ at: "manage", communityId, page: name, item: "" });
  const { name } = community;
  return (
    <SettingsFrame
      label={say("manage.title", { name })}
      current={current}
      to={to}
      back={{ title: say("manage.back", { name }), place: { at: "channel", communityId, channelId: "" } }}
      groups={[{ title: say("manage.community"), pages: [{ name: "overview", title: say("overview.title"), icon: House }] }]}
    >
      <Page community={community} list={to("")} />
    </SettingsFrame>
  );
}
