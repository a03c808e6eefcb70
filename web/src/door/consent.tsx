import { Check, Eye, Pencil } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";

import { CallError } from "@creavio/client";
import { type Authorization, ConsentService } from "@creavio/client/auth/v1/consent_service";
import { TokenScope } from "@creavio/client/auth/v1/token";
import { go } from "@/route";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { useSession } from "@/ui/context";
import { useMutation } from "@/ui/mutation";
import { Avatar, Button, Tile, Wrong } from "@/ui/parts";
import { wrong } from "@/ui/wrong";

import { Title } from "./door";
import { leadsAway, leave } from "./errand";
import { type Request, requestOf } from "./request";
import { useSay } from "./texts";

type Step =
  | { readonly at: "asking" }
  | { readonly at: "asked"; readonly request: Request; readonly asks: Authorization }
  | { readonly at: "over"; readonly why: string }
  | { readonly at: "left"; readonly name: string };

/** Whether an app may act for whoever is signed in. */
export function Consent(): ReactNode {
  const say = useSay();
  const session = useSession();
  const [step, setStep] = useState<Step>({ at: "asking" });
  useEffect(() => {
    const consents = session.api.client.service(ConsentService);
    const ask = async (): Promise<Step> => {
      const request = requestOf(location.search);
      if (request === undefined) return { at: "over", why: say("consent.invalid") };
      try {
        const asks = await consents.reviewAuthorization(request);
        if (!asks.consented) return { at: "asked", request, asks };
        leave((await consents.decideAuthorization({ ...request, approve: true })).redirectUri);
        return { at: "left", name: asks.app?.name ?? "" };
      } catch (thrown) {
        return { at: "over", why: refused(thrown) ? say("consent.invalid") : wrong(thrown) };
      }
    };
    void ask().then(setStep);
  }, [session, say]);
  switch (step.at) {
    case "asking":
      return (
        <p role="status" aria-busy className="text-15 text-muted">
          {say("consent.asking")}
        </p>
      );
    case "over":
      return (
        <>
          <Title title={say("consent.over")} lead={say("consent.overLead")} />
          <Wrong>{step.why}</Wrong>
          <Button big onClick={() => go({ at: "home" })}>
            {say("consent.home")}
          </Button>
        </>
      );
    case "left":
      return (
        <>
          <Title title={say("consent.left")} lead={say("consent.leftLead", { name: step.name })} />
          <Button big onClick={() => go({ at: "home" })}>
            {say("consent.home")}
          </Button>
        </>
      );
    case "asked":
      return <Ask {...step} onLeft={(name) => setStep({ at: "left", name })} />;
  }
}

/** Whether a request is none that anybody is sent on with. */
function refused(thrown: unknown): boolean {
  return thrown instanceof CallError && ["INVALID_AUTHORIZATION", "INVALID_FIELD"].includes(thrown.reason);
}

interface AskProps {
  readonly request: Request;
  readonly asks: Authorization;
  readonly onLeft: (name: string) => void;
}

function Ask({ request, asks, onLeft }: AskProps): ReactNode {
  const say = useSay();
  const session = useSession();
  const me = useKnown((state) => state.me);
  const name = asks.app?.name ?? "";
  const decided = (approve: boolean) => async () => {
    const { redirectUri } = await session.api.client.service(ConsentService).decideAuthorization({ ...request, approve });
    leave(redirectUri);
    onLeft(name);
  };
  const known = { INVALID_AUTHORIZATION: "consent.invalid", EMAIL_NOT_VERIFIED: "consent.unverified" } as const;
  const yes = useMutation(decided(true), known, say);
  const no = useMutation(decided(false), known, say);
  const busy = yes.busy || no.busy;
  const out = useMutation(() => session.signOut());
  return (
    <>
      <Tile id={asks.app?.id ?? ""} className="size-14! text-26!" />
      <Title title={say("consent.title", { name })} lead={say("consent.lead", { host: location.host })} />
      <ul className="grid gap-3 rounded-card bg-sunken p-4">
        {asks.scopes.includes(TokenScope.READ) && <Scope icon={<Eye size={18} strokeWidth={1.75} aria-hidden />} title={say("consent.read")} about={say("consent.readHint")} />}
        {asks.scopes.includes(TokenScope.WRITE) && (
          <Scope icon={<Pencil size={18} strokeWidth={1.75} aria-hidden />} title={say("consent.write")} about={say("consent.writeHint")} />
        )}
        <Scope icon={<Check size={18} strokeWidth={1.75} aria-hidden />} title={say("consent.never")} about={say("consent.neverHint")} />
      </ul>
      <p className="text-13 text-muted [overflow-wrap:anywhere]">
        {say("consent.goesTo")} <bdi className="font-medium text-text">{placeOf(request.redirectUri)}</bdi>
      </p>
      <Wrong>{yes.error ?? no.error}</Wrong>
      <div className="grid grid-cols-2 gap-2.5">
        <Button big disabled={busy} onClick={() => no.submit()}>
          {say("consent.no")}
        </Button>
        <Button look="primary" big disabled={busy} onClick={() => yes.submit()}>
          {say("consent.yes")}
        </Button>
      </div>
      <div className="flex items-center gap-2.5 text-13 text-muted">
        {me !== undefined && <Avatar id={me.id} size="s" />}
        <p className="min-w-0">
          <bdi>{nameOf(me)}</bdi> · {say("consent.revoke")}{" "}
          <button type="button" className="text-accent-text underline underline-offset-3" disabled={out.busy} onClick={() => out.submit()}>
            {say("consent.notMe")}
          </button>
        </p>
      </div>
    </>
  );
}

function Scope({ icon, title, about }: { readonly icon: ReactNode; readonly title: string; readonly about: string }): ReactNode {
  return (
    <li className="flex gap-3">
      <span className="mt-0.5 text-accent-text">{icon}</span>
      <span className="grid">
        <b className="font-medium">{title}</b>
        <span className="text-13 text-muted">{about}</span>
      </span>
    </li>
  );
}

/** Where an address leads, as people tell places apart. */
function placeOf(address: string): string {
  if (!leadsAway(address)) return address;
  const { host, protocol } = new URL(address);
  return host === "" ? protocol : host;
}
