import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createStore } from "zustand/vanilla";

import { type Settings, SettingsSchema, SettingsService, Theme as Light, type UpdateSettingsRequestSchema } from "@creavio/client/user/v1/settings_service";
import type { Api } from "@/api/client";
import { currentLanguage, languages, type Language, onLanguage, speak } from "@/i18n/texts";
import { hear } from "@/stream/heard";
import { mark, onTheme, showTheme, type Theme } from "@/ui/theme";

type Change = MessageInitShape<typeof UpdateSettingsRequestSchema>;

/** How somebody wants their clients to be, as far as it is known, with what is just being changed. */
export const kept = createStore<Settings>(() => create(SettingsSchema));

/** What the platform said last. */
let known = create(SettingsSchema);
/** How often it said so. */
let said = 0;
/** What it is asked to change, in order, and did not answer yet. */
let asked: readonly Change[] = [];

const themes: Readonly<Record<Light, Theme>> = { [Light.UNSPECIFIED]: "system", [Light.LIGHT]: "light", [Light.DARK]: "dark" };
const lights: Readonly<Record<Theme, Light>> = { system: Light.UNSPECIFIED, light: Light.LIGHT, dark: Light.DARK };

/**
 * Has this device be as its person wants all of theirs to, and what is chosen on this one
 * be known to the others. Returns how to stop.
 */
export function follow(api: Api): () => void {
  const settings = api.client.service(SettingsService);
  const fetch = async (): Promise<void> => {
    const before = said;
    const found = await settings.getSettings({});
    // What was said meanwhile may be newer.
    if (before !== said) return await fetch();
    // What was never chosen is the device's own to choose.
    if (found.theme !== Light.UNSPECIFIED) showTheme(themes[found.theme]);
    told(found);
  };
  const send = (change: Change): void => void keep(api, change).catch(() => {});
  const stops = [
    hear((payload) => {
      if (payload.case === "refetch") void fetch().catch(() => {});
      if (payload.case !== "settingsUpdated" || payload.value.settings === undefined) return;
      showTheme(themes[payload.value.settings.theme]);
      told(payload.value.settings);
    }),
    onTheme((theme) => {
      if (lights[theme] !== kept.getState().theme) send({ theme: lights[theme] });
    }),
    onLanguage(() => {
      if (currentLanguage() !== kept.getState().locale) send({ locale: currentLanguage() });
    }),
  ];
  // Nothing of who was here before, but how this device looks: it stays until it is known, and nothing jumps.
  known = create(SettingsSchema);
  said += 1;
  kept.setState(known, true);
  void fetch().catch(() => {});
  return () => stops.forEach((stop) => stop());
}

/** Changes the settings; they are as before when that fails. */
export async function keep(api: Api, change: Change): Promise<void> {
  asked = [...asked, change];
  show();
  try {
    known = await api.client.service(SettingsService).updateSettings(change);
    said += 1;
  } finally {
    asked = asked.filter((one) => one !== change);
    show();
  }
}

function told(settings: Settings): void {
  known = settings;
  said += 1;
  show();
}

function show(): void {
  // An answer says nothing of what was asked after it.
  const now = asked.reduce<Settings>((before, change) => ({ ...before, ...change }) as Settings, known);
  kept.setState(now, true);
  if (now.locale in languages && now.locale !== currentLanguage()) void speak(now.locale as Language);
  mark("density", now.compact ? "compact" : "");
  mark("motion", now.reduceMotion ? "less" : "");
}
