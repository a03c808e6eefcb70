/** What newcomers of a place are told and asked, in English. */
export const en = {
  "accept.title": "Before you join in at {name}",
  "accept.lead": "You can look round first. Writing waits for this.",
  "accept.accept": "Accept the rules",
  "accept.goOn": "Go on",
  "accept.others": "The rules changed meanwhile. Here they are as they are now.",
  "accept.required": "One question still needs an answer.",
  "accept.needed": "needs an answer",
} as const;

export type Key = keyof typeof en;
