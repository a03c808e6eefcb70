import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";

import { useSay } from "./texts";

/** What who wrote something is called, also when they are nobody any more. */
export function useNameOfAuthor(id: string): string {
  const say = useSay();
  const author = useKnown((state) => state.users[id]);
  const left = useKnown((state) => state.strangers.has(id));
  return nameOf(author, left ? say("message.unknown") : undefined);
}
