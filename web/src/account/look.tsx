import type { ReactNode } from "react";
import { useStore } from "zustand";

import { currentLanguage, languages, type Language, speak } from "@/i18n";
import type { Place } from "@/route";
import { SettingsHeader } from "@/settings/frame";
import { Section, SettingsBody } from "@/settings/page";
import { Choice, Switch } from "@/settings/parts";
import { useActions } from "@/ui/context";
import { Wrong } from "@/ui/parts";
import { chooseTheme, type Theme, themes, useTheme } from "@/ui/theme";

import { useDoing } from "./doing";
import { keep, kept } from "./kept";
import { useSay } from "./texts";

/** How things look, on all devices of somebody. */
export function Look({ list }: { readonly list: Place }): ReactNode {
  const say = useSay();
  const theme = useTheme();
  const names: Record<Theme, string> = { system: say("look.system"), light: say("look.light"), dark: say("look.dark") };
  return (
    <>
      <SettingsHeader title={say("look.title")} lead={say("look.lead")} list={list} />
      <SettingsBody>
        <Choice title={say("look.theme")} value={theme} options={themes.map((one) => ({ value: one, title: names[one] }))} onChange={chooseTheme} />
        <Density />
        <Choice<Language>
          title={say("look.language")}
          value={currentLanguage()}
          options={Object.entries(languages).map(([value, title]) => ({ value: value as Language, title, lang: value }))}
          onChange={(one) => void speak(one)}
        />
        <Motion />
      </SettingsBody>
    </>
  );
}

function Density(): ReactNode {
  const say = useSay();
  const { api } = useActions();
  const compact = useStore(kept, (settings) => settings.compact);
  const set = useDoing(() => keep(api, { compact: !compact }));
  return (
    <div className="grid gap-2">
      <Choice
        title={say("look.density")}
        value={compact ? "compact" : "comfortable"}
        options={[
          { value: "comfortable", title: say("look.comfortable"), hint: say("look.comfortableHint") },
          { value: "compact", title: say("look.compact"), hint: say("look.compactHint") },
        ]}
        onChange={() => set.submit()}
      />
      <Wrong>{set.error}</Wrong>
    </div>
  );
}

function Motion(): ReactNode {
  const say = useSay();
  const { api } = useActions();
  const reduceMotion = useStore(kept, (settings) => settings.reduceMotion);
  const set = useDoing(() => keep(api, { reduceMotion: !reduceMotion }));
  return (
    <Section title={say("look.motion")}>
      <Switch label={say("look.less")} hint={say("look.lessHint")} checked={reduceMotion} disabled={set.busy} onChange={() => set.submit()} />
      <Wrong>{set.error}</Wrong>
    </Section>
  );
}
