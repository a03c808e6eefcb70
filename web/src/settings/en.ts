/** What all settings say, in English. */
export const en = {
  "settings.toList": "Back to settings",
  "settings.saved": "Saved",
  "settings.undo": "Undo",
  "settings.unsaved": "Changes are not saved",
  "settings.save": "Save changes",
} as const;

export type Key = keyof typeof en;
