/** What the settings of oneself say, in English. */
export const en = {
  "account.title": "Your settings",
  "account.back": "Back",
  "account.you": "You",
  "look.title": "Appearance",
  "look.theme": "Theme",
  "look.system": "As the system",
  "look.light": "Light",
  "look.dark": "Dark",
  "look.language": "Language",
} as const;

export type Key = keyof typeof en;
