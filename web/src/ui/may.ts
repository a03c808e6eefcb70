import { useEffect, useRef } from "react";

import type { Permission } from "@creavio/client/options/v1/permission";
import { lasting } from "@/store/lasting";
import { useKnown } from "@/store/react";

import { useActions } from "./context";

/** What one may do in a community as a whole: asked for once, and again when it may have changed; nothing until it is known. */
export function useMayIn(communityId: string): (permission: Permission) => boolean {
  const actions = useActions();
  const held = useKnown((state) => state.permissions[communityId]);
  // What is asked again stays as it was until it is answered: nothing comes and goes.
  const last = useRef({ communityId, held });
  if (held !== undefined || last.current.communityId !== communityId) last.current = { communityId, held };
  useEffect(() => {
    if (held === undefined) void lasting(() => actions.rights(communityId, "")).catch(() => {});
  }, [actions, communityId, held]);
  return (permission) => last.current.held?.has(permission) === true;
}
