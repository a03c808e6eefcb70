import { createContext, useContext } from "react";

import type { Permission } from "@creavio/client/options/v1/permission";

/** A question: may this person do this here? */
export interface Question {
  /** Empty asks who may at all. */
  readonly userId: string;
  readonly permission: Permission;
  /** Empty for the community as a whole. */
  readonly channelId: string;
}

interface Explaining {
  readonly asked: Question | undefined;
  readonly ask: (question: Question | undefined) => void;
  /** Rises when something is changed that may decide. */
  readonly changes: number;
  readonly changed: () => void;
}

const Here = createContext<Explaining | undefined>(undefined);

export const ExplainingProvider = Here.Provider;

/** The question that is answered beside the page. */
export function useExplaining(): Explaining {
  const explaining = useContext(Here);
  if (explaining === undefined) throw new Error("outside the settings of a community");
  return explaining;
}
