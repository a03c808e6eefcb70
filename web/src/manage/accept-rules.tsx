import { ScrollText } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";

import type { Onboarding } from "@creavio/client/community/v1/onboarding";
import { OnboardingService } from "@creavio/client/community/v1/onboarding_service";
import { Permission } from "@creavio/client/options/v1/permission";
import { PolicyService } from "@creavio/client/rbac/v1/policy_service";
import type { Payload } from "@/store/actions";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { Button, Wrong } from "@/ui/parts";

import { useChange } from "./parts";
import { useSay } from "./texts";

const follows: readonly Payload["case"][] = ["accessChanged", "onboardingUpdated", "onboardingCompleted", "refetch"];

/** Of whom it is known that they are let in, and where. */
const settled = new Set<string>();

/** The rules of a place, before the one who joined says they keep to them; nothing where nobody is asked. */
export function AcceptRules({ communityId }: { readonly communityId: string }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const { client } = actions.api;
  const onboarding = useMemo(() => client.service(OnboardingService), [client]);
  const policy = useMemo(() => client.service(PolicyService), [client]);
  const community = useKnown((state) => state.communities[communityId]);
  const me = useKnown((state) => state.me?.id ?? "");
  const joined = `${me} ${communityId}`;
  const [asked, setAsked] = useState<Onboarding>();
  const look = useCallback(async () => {
    // Whoever was let in once is not asked again while they belong.
    if (settled.has(joined)) return;
    const { steps } = await policy.explain({ communityId, permission: Permission.SEND_MESSAGES });
    const pending = steps.at(-1)?.pending === true;
    if (!pending) settled.add(joined);
    setAsked(pending ? await onboarding.getOnboarding({ communityId }) : undefined);
  }, [policy, onboarding, communityId, joined]);
  useEffect(() => {
    const again = (): void => void look().catch(() => {});
    again();
    const heard = (payload: Payload): void => {
      if (payload.case === "memberRemoved" && payload.value.userId === me) settled.delete(`${me} ${payload.value.communityId}`);
      if (follows.includes(payload.case)) again();
    };
    actions.hearing.add(heard);
    return () => void actions.hearing.delete(heard);
  }, [look, actions, me]);
  const accept = useChange(
    async () => {
      await onboarding.completeOnboarding({ communityId, rulesVersion: asked?.rulesVersion ?? 0n });
      setAsked(undefined);
      // What one sees stays the same, so the stream does not say that one may do more.
      actions.heard({ case: "accessChanged", value: { communityId } as never });
      document.querySelector<HTMLElement>("main textarea")?.focus();
    },
    { CONCURRENT_CHANGE: "accept.others" },
  );
  // Rules that changed while they were read are shown as they are now.
  useEffect(() => {
    if (accept.error !== undefined) void look().catch(() => {});
  }, [accept.error, look]);
  if (asked === undefined || community === undefined) return null;
  return (
    <section aria-labelledby="accept-rules" className="mx-3 mb-2 max-h-[50dvh] overflow-y-auto rounded-card bg-accent-soft p-4 mid:mx-5">
      <h2 id="accept-rules" className="flex items-center gap-2 font-display text-17 font-bold tracking-[-0.012em]">
        <ScrollText size={18} strokeWidth={1.75} aria-hidden className="text-accent-text" />
        {say("accept.title", { name: community.name })}
      </h2>
      {asked.welcome !== "" && (
        <p dir="auto" className="mt-1 text-muted [overflow-wrap:anywhere]">
          {asked.welcome}
        </p>
      )}
      <ol className="mt-3 grid list-decimal gap-1.5 ps-5">
        {asked.rules.map((rule, at) => (
          <li key={at} dir="auto" className="[overflow-wrap:anywhere]">
            <b className="font-semibold">{rule.title}</b>
            {rule.text !== "" && <span className="block text-13 text-muted">{rule.text}</span>}
          </li>
        ))}
      </ol>
      <div className="mt-3.5 flex flex-wrap items-center gap-3">
        <Button look="primary" disabled={accept.busy} onClick={() => accept.submit()}>
          {say("accept.accept")}
        </Button>
        <p className="text-13 text-muted">{say("accept.lead")}</p>
        <Wrong>{accept.error}</Wrong>
      </div>
    </section>
  );
}
