import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createStore } from "zustand/vanilla";

import { type Settings, SettingsSchema, SettingsService, Theme as Light, type UpdateSettingsRequestSchema } from "@creavio/client/user/v1/settings_service";
import type { Api } from "@/api/client";
import { currentLanguage, languages, type Language, onLanguage, speak } from "@/i18n/texts";
import { hear } from "@/stream/heard";
import { mark, onTheme, showTheme, type Theme } from "@/ui/theme";

type Change = MessageInitShape<typeof UpdateSettingsRequestSchema>;

/** How somebody wants their clients to be, as far as it is known. */
export const kept = createStore<Settings>(() => create(SettingsSchema));

const themes: Readonly<Record<Light, Theme>> = { [Light.UNSPECIFIED]: "system", [Light.LIGHT]: "light", [Light.DARK]: "dark" };
const lights: Readonly<Record<Theme, Light>> = { system: Light.UNSPECIFIED, light: Light.LIGHT, dark: Light.DARK };

/**
 * Has this device be as its person wants all of theirs to, and what is chosen on this one
 * be known to the others. Returns how to stop.
 */
export function follow(api: Api): () => void {
  const settings = api.client.service(SettingsService);
  const fetch = async (): Promise<void> => {
    const found = await settings.getSettings({});
    kept.setState(found, true);
    // What was never chosen is the device's own to choose.
    if (found.theme !== Light.UNSPECIFIED) showTheme(themes[found.theme]);
    show(found);
  };
  const send = (change: Change): void => void keep(api, change).catch(() => {});
  const stops = [
    hear((payload) => {
      if (payload.case === "refetch") void fetch().catch(() => {});
      if (payload.case !== "settingsUpdated" || payload.value.settings === undefined) return;
      kept.setState(payload.value.settings, true);
      showTheme(themes[payload.value.settings.theme]);
      show(payload.value.settings);
    }),
    onTheme((theme) => {
      if (lights[theme] !== kept.getState().theme) send({ theme: lights[theme] });
    }),
    onLanguage(() => {
      if (currentLanguage() !== kept.getState().locale) send({ locale: currentLanguage() });
    }),
  ];
  // Nothing of who was here before.
  kept.setState(create(SettingsSchema), true);
  void fetch().catch(() => {});
  return () => stops.forEach((stop) => stop());
}

/** Changes the settings; they are as before when that fails. */
export async function keep(api: Api, change: Change): Promise<void> {
  const before = kept.getState();
  const wanted = { ...before, ...change } as Settings;
  kept.setState(wanted, true);
  show(wanted);
  try {
    kept.setState(await api.client.service(SettingsService).updateSettings(change), true);
  } catch (thrown) {
    kept.setState(before, true);
    show(before);
    throw thrown;
  }
}

function show({ locale, compact, reduceMotion }: Settings): void {
  if (locale in languages && locale !== currentLanguage()) void speak(locale as Language);
  mark("density", compact ? "compact" : "");
  mark("motion", reduceMotion ? "less" : "");
}
