import { Palette } from "lucide-react";
import type { ReactNode } from "react";

import type { Place } from "@/route";
import { SettingsFrame } from "@/settings/frame";
import { ready as shared } from "@/settings/texts";
import { useNarrow } from "@/ui/narrow";

import { Look } from "./look";
import { ready as own, useSay } from "./texts";

const pages = { look: Look } as const;
const first = "look";

/** Resolves when what is said here is there in the language that is shown. */
export async function ready(): Promise<void> {
  await Promise.all([shared(), own()]);
}

/** The settings of oneself. */
export function Account({ page }: { readonly page: string; readonly item: string }): ReactNode {
  const say = useSay();
  const narrow = useNarrow();
  const current = page in pages ? (page as keyof typeof pages) : narrow ? "" : first;
  const Page = pages[current === "" ? first : current];
  return (
    <SettingsFrame
      label={say("account.title")}
      current={current}
      to={to}
      back={{ title: say("account.back"), place: { at: "home" } }}
      groups={[{ title: say("account.you"), pages: [{ name: "look", title: say("look.title"), icon: Palette }] }]}
    >
      <Page list={to("")} />
    </SettingsFrame>
  );
}

function to(page: string): Place {
  return { at: "settings", page, item: "" };
}
