import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type ReactNode, useEffect, useRef, useState } from "react";

import { IdentityService } from "@creavio/client/auth/v1/identity_service";
import { CallError } from "@creavio/client";
import { useSay as useCore } from "@/i18n";
import { go, goOn, placeOf } from "@/route";
import { useSession } from "@/ui/context";
import { Button, Wrong } from "@/ui/parts";
import { wrong } from "@/ui/wrong";

import { SecondStep, SignUpForm, Title } from "./door";
import { keepShown, takeErrand } from "./errand";
import { useSay } from "./texts";

type Step =
  | { readonly at: "waiting" }
  | { readonly at: "code"; readonly challenge: string }
  | { readonly at: "sign-up"; readonly token: string }
  | { readonly at: "over"; readonly why: string; readonly linking: boolean };

/** The way back from a provider: signs in, offers to sign up, or links. */
export function Back(): ReactNode {
  const say = useSay();
  const core = useCore();
  const session = useSession();
  const [step, setStep] = useState<Step>({ at: "waiting" });
  const seen = useRef(false);
  useEffect(() => {
    // What one came back with is good once.
    if (seen.current) return;
    seen.current = true;
    const said = new URLSearchParams(location.search);
    // Nobody who looks at the address later finds it there.
    history.replaceState(null, "", location.pathname);
    const errand = takeErrand();
    const linking = errand?.why === "link" || errand?.why === "prove";
    const identities = session.api.client.service(IdentityService);
    const come = async (): Promise<Step> => {
      const over = (why: string): Step => ({ at: "over", why, linking });
      if (errand === undefined) return over(say("back.strange"));
      if (said.has("error") || !said.has("code")) return over(say("back.refused"));
      const answer = {
        stateToken: errand.stateToken,
        state: said.get("state") ?? "",
        code: said.get("code") ?? "",
        iss: said.get("iss") ?? "",
      };
      try {
        if (errand.why === "prove") {
          const { providerToken, expireTime } = await identities.proveByProvider(answer);
          keepShown(providerToken, expireTime === undefined ? 0 : timestampDate(expireTime).getTime());
          go(placeOf(errand.from), "replace");
          return { at: "waiting" };
        }
        if (linking) {
          await identities.linkIdentity(answer);
          go({ at: "settings", page: "sign-in", item: "" }, "replace");
          return { at: "waiting" };
        }
        const { session: begun, signUpToken } = await identities.createSessionByProvider(answer);
        if (begun === undefined) return { at: "sign-up", token: signUpToken };
        const challenge = await session.beginWith(begun);
        if (challenge !== "") return { at: "code", challenge };
        goOn();
        return { at: "waiting" };
      } catch (thrown) {
        if (thrown instanceof CallError && thrown.reason === "INVALID_PROVIDER_ANSWER") return over(say(errand.why === "link" ? "back.notLinked" : errand.why === "prove" ? "back.notShown" : "back.invalid"));
        return over(wrong(thrown));
      }
    };
    void come().then(setStep);
  }, [session, say]);
  switch (step.at) {
    case "waiting":
      return (
        <p role="status" aria-busy className="text-15 text-muted">
          {say("back.waiting")}
        </p>
      );
    case "code":
      return <SecondStep challenge={step.challenge} onDone={goOn} />;
    case "sign-up":
      return (
        <SignUpForm
          lead={say("back.signUp")}
          make={async ({ password: _, ...wanted }) => {
            await session.beginWith(await session.api.client.service(IdentityService).createAccountByProvider({ signUpToken: step.token, ...wanted }));
            goOn();
          }}
        />
      );
    case "over":
      return (
        <>
          <Title title={say("back.title")} lead="" />
          <Wrong>{step.why}</Wrong>
          {step.linking ? (
            <Button big onClick={() => go({ at: "settings", page: "sign-in", item: "" }, "replace")}>
              {core("common.back")}
            </Button>
          ) : (
            <Button look="primary" big onClick={() => go({ at: "sign-in" }, "replace")}>
              {core("signUp.toSignIn")}
            </Button>
          )}
        </>
      );
  }
}
