import { Code } from "@connectrpc/connect";
import { CallError } from "@creavio/client";

import { say } from "@/i18n";

/** What to tell a person of something that went wrong. */
export function wrong(thrown: unknown): string {
  if (!(thrown instanceof CallError)) throw thrown;
  if (thrown.retryAfter !== undefined && thrown.code === Code.ResourceExhausted) {
    return say("error.rate", { seconds: Math.ceil(thrown.retryAfter) });
  }
  if (thrown.code === Code.Unavailable || thrown.code === Code.DeadlineExceeded) return say("error.unavailable");
  if (thrown.code === Code.PermissionDenied) return say("error.denied");
  const [field] = Object.values(thrown.fields);
  return say("error.other", { why: field ?? thrown.rawMessage });
}
