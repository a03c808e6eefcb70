import { useMutation } from "@/ui/mutation";

import type { Key } from "./en";
import { useSay } from "./texts";

const usual: Readonly<Record<string, Key>> = {
  EMAIL_NOT_VERIFIED: "wrong.unverified",
  CONCURRENT_CHANGE: "wrong.meanwhile",
  PASSKEY_NOT_USED: "proof.passkeyUnused",
};

/** Something that is done here, and what goes wrong told in the words of here. */
export function useDoing(work: () => Promise<void>, known: Readonly<Record<string, Key>> = {}): ReturnType<typeof useMutation> {
  return useMutation(work, { ...usual, ...known }, useSay());
}
