import { useMemo } from "react";

import { useActions } from "@/ui/context";

import { RoomActions } from "./doing";

/** What one can do in rooms. */
export function useDoing(): RoomActions {
  const actions = useActions();
  return useMemo(() => new RoomActions(actions), [actions]);
}
