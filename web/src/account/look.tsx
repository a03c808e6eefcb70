import { type ReactNode, useState } from "react";

import { currentLanguage, languages, type Language, speak } from "@/i18n";
import type { Place } from "@/route";
import { SettingsHeader } from "@/settings/frame";
import { Choice } from "@/settings/parts";
import { chooseTheme, chosenTheme, type Theme, themes } from "@/ui/theme";

import { useSay } from "./texts";

/** How things look on this device. */
export function Look({ list }: { readonly list: Place }): ReactNode {
  const say = useSay();
  const [theme, setTheme] = useState(chosenTheme);
  const names: Record<Theme, string> = { system: say("look.system"), light: say("look.light"), dark: say("look.dark") };
  return (
    <>
      <SettingsHeader title={say("look.title")} list={list} />
      <div className="grid min-h-0 max-w-[44rem] content-start gap-6 overflow-y-auto p-5">
        <Choice
          title={say("look.theme")}
          value={theme}
          options={themes.map((one) => ({ value: one, title: names[one] }))}
          onChange={(one) => {
            chooseTheme(one);
            setTheme(one);
          }}
        />
        <Choice<Language>
          title={say("look.language")}
          value={currentLanguage()}
          options={Object.entries(languages).map(([value, title]) => ({ value: value as Language, title, lang: value }))}
          onChange={(one) => void speak(one)}
        />
      </div>
    </>
  );
}
