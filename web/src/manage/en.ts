/** What the settings of a community say, in English. */
export const en = {
  "manage.title": "Settings of {name}",
  "manage.back": "Back to {name}",
  "manage.community": "Community",
  "overview.title": "Overview",
  "overview.name": "Name",
  "overview.description": "Description",
  "overview.forbidden": "You can’t change this here.",
} as const;

export type Key = keyof typeof en;
