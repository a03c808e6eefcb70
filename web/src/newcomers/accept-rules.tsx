import { ScrollText } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";

import type { Onboarding, OnboardingQuestion } from "@creavio/client/community/v1/onboarding";
import { OnboardingService } from "@creavio/client/community/v1/onboarding_service";
import { Permission } from "@creavio/client/options/v1/permission";
import { PolicyService } from "@creavio/client/rbac/v1/policy_service";
import type { Payload } from "@/store/actions";
import { useKnown } from "@/store/react";
import { hear } from "@/stream/heard";
import { useActions } from "@/ui/context";
import { useMutation } from "@/ui/mutation";
import { Button, classes, Wrong } from "@/ui/parts";

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
    return hear(heard);
  }, [look, actions, me]);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const accept = useMutation(
    async () => {
      if (asked === undefined) return;
      if (asked.questions.length > 0) await onboarding.answerOnboarding({ communityId, answerIds: [...chosen] });
      if (asked.rules.length > 0) await onboarding.completeOnboarding({ communityId, rulesVersion: asked.rulesVersion });
      setAsked(undefined);
      // What one sees stays the same, so the stream does not say that one may do more.
      actions.heard({ case: "accessChanged", value: { communityId } as never });
      document.querySelector<HTMLElement>("main textarea")?.focus();
    },
    { CONCURRENT_CHANGE: "accept.others", ANSWER_REQUIRED: "accept.required" },
    say,
  );
  // Rules that changed while they were read are shown as they are now.
  useEffect(() => {
    if (accept.error !== undefined) void look().catch(() => {});
  }, [accept.error, look]);
  if (asked === undefined || community === undefined) return null;
  const lacking = asked.questions.some((one) => one.required && !one.answers.some(({ id }) => chosen.includes(id)));
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
      {asked.questions.map((question) => (
        <Question key={question.id} question={question} chosen={chosen} onChange={setChosen} />
      ))}
      <div className="mt-3.5 flex flex-wrap items-center gap-3">
        <Button look="primary" disabled={accept.busy || lacking} onClick={() => accept.submit()}>
          {say(asked.rules.length > 0 ? "accept.accept" : "accept.goOn")}
        </Button>
        <p className="text-13 text-muted">{say("accept.lead")}</p>
        <Wrong>{accept.error}</Wrong>
      </div>
    </section>
  );
}

interface QuestionProps {
  readonly question: OnboardingQuestion;
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}

/** Something a newcomer is asked. */
function Question({ question, chosen, onChange }: QuestionProps): ReactNode {
  const say = useSay();
  const own = question.answers.map((one) => one.id);
  const press = (id: string): void => {
    if (chosen.includes(id)) onChange(chosen.filter((one) => one !== id));
    else onChange([...(question.multiple ? chosen : chosen.filter((one) => !own.includes(one))), id]);
  };
  return (
    <fieldset className="mt-3.5">
      <legend dir="auto" className="font-semibold [overflow-wrap:anywhere]">
        {question.title} {question.required && <span className="text-12 font-normal text-muted">{say("accept.needed")}</span>}
      </legend>
      <div className="mt-1.5 flex flex-wrap gap-1.5">
        {question.answers.map(({ id, title, emoji }) => (
          <button
            key={id}
            type="button"
            aria-pressed={chosen.includes(id)}
            onClick={() => press(id)}
            className={classes(
              "min-h-8 rounded-full bg-overlay px-3 text-13 max-mid:min-h-11",
              chosen.includes(id) ? "font-semibold text-accent-text shadow-[inset_0_0_0_1.5px_var(--accent)]" : "shadow-[inset_0_0_0_1px_var(--line)] hover:bg-hover",
            )}
          >
            {emoji} {title}
          </button>
        ))}
      </div>
    </fieldset>
  );
}
