import type { Permission } from "@creavio/client/options/v1/permission";
import type { PolicyFailure } from "@creavio/client/rbac/v1/policy_service";
import type { ChannelOverride, Role } from "@creavio/client/rbac/v1/role";

import { type Decision, decided } from "../policy";
import type { Case } from "./cases";

/** What is known of the policy that was asked. */
export interface Grounds {
  readonly roles: readonly Role[];
  /** By channel, what it overrides; where that is known. */
  readonly overrides: Readonly<Record<string, readonly ChannelOverride[]>>;
  /** The role that every member has. */
  readonly everyone: string;
}

/** An expectation of a case that does not hold. */
export interface Missed {
  readonly permission: Permission;
  /** What the policy says of it. */
  readonly allowed: boolean;
  /** Why it says so; undefined where that is not known. */
  readonly why: Decision | undefined;
}

/** How a case fared. */
export interface Outcome {
  readonly of: Case;
  readonly missed: readonly Missed[];
}

/** How cases fared, by what the platform answered, and why as far as the rules are known here. */
export function outcomesOf(cases: readonly Case[], failures: readonly PolicyFailure[], grounds: Grounds): readonly Outcome[] {
  return cases.map((one, at) => ({
    of: one,
    missed: failures
      .filter(({ caseIndex }) => caseIndex === at)
      .map(({ permission, allowed }) => ({ permission, allowed, why: whyOf(one, permission, allowed, grounds) })),
  }));
}

function whyOf({ roleIds, channelId }: Case, permission: Permission, allowed: boolean, { roles, overrides, everyone }: Grounds): Decision | undefined {
  const there = overrides[channelId];
  if (channelId !== "" && there === undefined) return undefined;
  const found = decided({ roles, overrides: there }, { id: "", roleIds: [...roleIds, everyone] }, permission);
  // The platform decides: what does not agree with it was changed meanwhile, and explains nothing.
  return found.allowed === allowed ? found : undefined;
}
