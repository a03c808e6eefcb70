import type { ReactNode } from "react";

import { Back } from "./back";
import { Consent } from "./consent";
import { DoorFrame } from "./door";

export { ready } from "./texts";

/** What is rarely done at the door: coming back from a provider, and letting an app in. */
export function Rest({ at }: { readonly at: "provider" | "authorize" }): ReactNode {
  return <DoorFrame>{at === "provider" ? <Back /> : <Consent />}</DoorFrame>;
}
