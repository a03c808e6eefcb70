/** What all settings say, in English. */
export const en = {
  "settings.toList": "Back to settings",
  "settings.undo": "Undo",
  "settings.unsaved": "Changes are not saved",
  "settings.save": "Save changes",
  "settings.find": "Find by name",
  "settings.nothing": "Nothing about “{what}” here",
  "settings.more": "Show more",
  "settings.again": "Try again",
} as const;

export type Key = keyof typeof en;
