import { AppWindow, Bot, Database, EyeOff, KeyRound, MonitorSmartphone, Palette, ServerCog, ShieldCheck, UserRound } from "lucide-react";
import type { ReactNode } from "react";

import type { Place } from "@/route";
import { SettingsFrame } from "@/settings/frame";
import { ready as shared } from "@/settings/texts";
import { useNarrow } from "@/ui/narrow";

import { Apps } from "./apps";
import { Bots } from "./bots";
import { Data } from "./data";
import { Look } from "./look";
import { Privacy } from "./privacy";
import { Profile } from "./profile";
import { Server } from "./server";
import { Sessions } from "./sessions";
import { SignIn } from "./sign-in";
import { ready as own, useSay } from "./texts";
import { Tokens } from "./tokens";

const pages = {
  profile: Profile,
  privacy: Privacy,
  look: Look,
  data: Data,
  "sign-in": SignIn,
  sessions: Sessions,
  apps: Apps,
  bots: Bots,
  tokens: Tokens,
  server: Server,
} as const;
const first = "profile";

/** Resolves when what is said here is there in the language that is shown. */
export async function ready(): Promise<void> {
  await Promise.all([shared(), own()]);
}

/** The settings of oneself. */
export function Account({ page }: { readonly page: string; readonly item: string }): ReactNode {
  const say = useSay();
  const narrow = useNarrow();
  const current = Object.hasOwn(pages, page) ? (page as keyof typeof pages) : narrow ? "" : first;
  const Page = pages[current === "" ? first : current];
  return (
    <SettingsFrame
      label={say("account.title")}
      current={current}
      to={to}
      back={{ title: say("account.back"), place: { at: "home" } }}
      groups={[
        {
          title: say("account.you"),
          pages: [
            { name: "profile", title: say("profile.title"), icon: UserRound },
            { name: "privacy", title: say("privacy.title"), icon: EyeOff },
            { name: "look", title: say("look.title"), icon: Palette },
            { name: "data", title: say("data.title"), icon: Database },
          ],
        },
        {
          title: say("account.safety"),
          pages: [
            { name: "sign-in", title: say("signIn.title"), icon: ShieldCheck },
            { name: "sessions", title: say("sessions.title"), icon: MonitorSmartphone },
          ],
        },
        {
          title: say("account.programs"),
          pages: [
            { name: "apps", title: say("apps.title"), icon: AppWindow },
            { name: "bots", title: say("bots.title"), icon: Bot },
            { name: "tokens", title: say("tokens.title"), icon: KeyRound },
          ],
        },
        { title: say("account.server"), pages: [{ name: "server", title: say("server.title"), icon: ServerCog }] },
      ]}
    >
      <Page key={current} list={to("")} />
    </SettingsFrame>
  );
}

function to(page: string): Place {
  return { at: "settings", page, item: "" };
}
