import { type MessageInitShape } from "@bufbuild/protobuf";
import { Building2, KeyRound } from "lucide-react";
import { type FormEvent, type ReactNode, useRef, useState } from "react";

import type { Provider } from "@creavio/client/auth/v1/identity_service";
import type { ProofSchema } from "@creavio/client/auth/v1/proof";
import { isShown, leaveFor, takeShown } from "@/door/errand";
import { useSay as useCore } from "@/i18n";
import { useAsked } from "@/settings/asked";
import { askPasskey, passkeysWork } from "@/ui/passkeys";
import { Button, Dialog, Field, Wrong } from "@/ui/parts";

import { useDoing } from "./doing";
import type { Key } from "./en";
import { type Services, useServices } from "./services";
import { useSay } from "./texts";

export type Proof = MessageInitShape<typeof ProofSchema>;

/** The field that shows who it is. */
const proof = "proof";

interface ProveProps {
  readonly title: string;
  /** What happens, said before it does. */
  readonly lead?: ReactNode;
  readonly submit: string;
  readonly destroys?: boolean;
  readonly known?: Readonly<Record<string, Key>>;
  readonly onClose: () => void;
  readonly act: (proof: Proof) => Promise<void>;
  /** What the password is called, where another is spoken of beside it. */
  readonly password?: string;
  readonly children?: ReactNode;
}

/** Asks who it is once more, where an open session alone is not enough, and does it. */
export function Prove({ title, lead, submit, destroys = false, known, onClose, act, password, children }: ProveProps): ReactNode {
  const say = useSay();
  const core = useCore();
  const services = useServices();
  const ways = useAsked(() => waysOf(services));
  const [way, setWay] = useState<"password" | "code">("password");
  const [secret, setSecret] = useState("");
  const [away, setAway] = useState(isShown);
  const refused = { INVALID_PROVIDER_ANSWER: "proof.wrongProvider", WRONG_CREDENTIALS: "proof.wrongPassword", WRONG_CODE: "proof.wrongCode", INVALID_PASSKEY: "proof.wrongPasskey", ...known } as const;
  const typed = useDoing(async () => {
    if (!away) return await act({ proof: way === "password" ? { case: "password", value: secret } : { case: "code", value: secret.trim() } });
    setAway(false);
    await act({ proof: { case: "providerToken", value: takeShown() } });
  }, refused);
  const shown = useDoing(async () => {
    const { options, challengeToken } = await services.passkeys.beginPasskeySignIn({});
    await act({ proof: { case: "passkey", value: { challengeToken, credential: await askPasskey(options) } } });
  }, refused);
  const gone = useDoing(async () => leaveFor(await services.identities.beginProviderProof({ providerId: provider.current }), "prove"));
  const provider = useRef("");
  const busy = typed.busy || shown.busy || gone.busy;
  const look = destroys ? "danger" : "primary";
  return (
    <Dialog title={title} open onClose={onClose}>
      <form className="grid gap-4" onSubmit={(event: FormEvent) => typed.submit(event)}>
        {lead !== undefined && <div className="grid gap-2 text-muted">{lead}</div>}
        {children}
        {away && <p className="rounded-control bg-positive-soft px-3 py-2 text-13">{say("proof.shown")}</p>}
        {!away && ways.value?.passkey === true && (
          <Button disabled={busy} onClick={(event) => filled(event.currentTarget.form) && shown.submit()}>
            <KeyRound size={16} aria-hidden /> {say("proof.usePasskey")}
          </Button>
        )}
        {!away &&
          ways.value?.providers.map((one) => (
            <Button
              key={one.id}
              disabled={busy}
              onClick={() => {
                provider.current = one.id;
                gone.submit();
              }}
            >
              <Building2 size={16} aria-hidden /> {say("proof.useProvider", { name: one.name })}
            </Button>
          ))}
        {away ? null : way === "password" ? (
          <Field
            key="password"
            name={proof}
            label={password ?? say("proof.password")}
            type="password"
            autoComplete="current-password"
            required
            maxLength={256}
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
          />
        ) : (
          <Field
            key="code"
            name={proof}
            label={say("proof.code")}
            hint={say("proof.codeHint")}
            autoComplete="one-time-code"
            required
            minLength={6}
            maxLength={32}
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
          />
        )}
        {!away && ways.value?.code === true && (
          <button
            type="button"
            className="justify-self-start text-13 text-accent-text underline underline-offset-3"
            onClick={() => {
              setWay(way === "password" ? "code" : "password");
              setSecret("");
            }}
          >
            {say(way === "password" ? "proof.useCode" : "proof.usePassword")}
          </button>
        )}
        <Wrong>{typed.error ?? shown.error ?? gone.error}</Wrong>
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{core("common.cancel")}</Button>
          <Button type="submit" look={look} disabled={busy}>
            {submit}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Whether everything is filled in but what shows who it is; tells what is not. */
function filled(form: HTMLFormElement | null): boolean {
  return [...(form?.elements ?? [])].every((one) => !(one instanceof HTMLInputElement || one instanceof HTMLTextAreaElement) || one.name === proof || one.reportValidity());
}

interface Ways {
  readonly code: boolean;
  readonly passkey: boolean;
  readonly providers: readonly Provider[];
}

/** By what the caller can show who they are, besides their password. */
async function waysOf({ factors, passkeys, identities }: Services): Promise<Ways> {
  const [factor, list, there, linked] = await Promise.all([
    factors.getSecondFactor({}),
    passkeys.listPasskeys({}),
    identities.listProviders({}),
    identities.listIdentities({}),
  ]);
  const mine = new Set(linked.identities.map((one) => one.providerId));
  return {
    code: factor.enabled,
    passkey: passkeysWork() && list.passkeys.length > 0,
    providers: there.providers.filter((one) => mine.has(one.id)),
  };
}

interface SureProps {
  readonly title: string;
  readonly lead: ReactNode;
  readonly submit: string;
  readonly known?: Readonly<Record<string, Key>>;
  readonly onClose: () => void;
  readonly act: () => Promise<void>;
}

/** Asks before something ends that cannot be taken back. */
export function Sure({ title, lead, submit, known, onClose, act }: SureProps): ReactNode {
  const core = useCore();
  const done = useDoing(async () => {
    await act();
    onClose();
  }, known);
  return (
    <Dialog title={title} open onClose={onClose}>
      <div className="grid gap-4">
        <div className="text-muted">{lead}</div>
        <Wrong>{done.error}</Wrong>
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{core("common.cancel")}</Button>
          <Button look="danger" disabled={done.busy} onClick={() => done.submit()}>
            {submit}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
