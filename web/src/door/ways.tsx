import { Building2, FingerprintPattern } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";

import { IdentityService, type Provider } from "@creavio/client/auth/v1/identity_service";
import { PasskeyService } from "@creavio/client/auth/v1/passkey_service";
import { useSay } from "@/i18n";
import { useSession } from "@/ui/context";
import { useMutation } from "@/ui/mutation";
import { Button, Wrong } from "@/ui/parts";
import { askPasskey } from "@/ui/passkeys";

import { leaveFor } from "./errand";

/** Signing in with whatever passkey is at hand. */
export function ByPasskey(): ReactNode {
  const say = useSay();
  const session = useSession();
  const done = useMutation(
    async () => {
      const passkeys = session.api.client.service(PasskeyService);
      const { options, challengeToken } = await passkeys.beginPasskeySignIn({});
      await session.beginWith(await passkeys.createSessionByPasskey({ challengeToken, credential: await askPasskey(options) }));
    },
    { INVALID_PASSKEY: "passkey.wrong", PASSKEY_NOT_USED: "passkey.unused" },
  );
  return (
    <div className="grid gap-4">
      <Button look="primary" big disabled={done.busy} onClick={() => done.submit()}>
        <FingerprintPattern size={18} strokeWidth={1.75} aria-hidden /> {say("passkey.go")}
      </Button>
      <Wrong>{done.error}</Wrong>
      <Or>{say("ways.orPassword")}</Or>
    </div>
  );
}

/** Signing in with an account elsewhere, where whoever runs the instance named some. */
export function ByProviders(): ReactNode {
  const say = useSay();
  const session = useSession();
  const [providers, setProviders] = useState<readonly Provider[]>([]);
  useEffect(() => {
    // Without them, there are the other ways.
    session.api.client
      .service(IdentityService)
      .listProviders({})
      .then((found) => setProviders(found.providers), () => {});
  }, [session]);
  if (providers.length === 0) return null;
  return (
    <div className="grid gap-2.5">
      <Or>{say("ways.orElsewhere")}</Or>
      {providers.map((one) => (
        <ByProvider key={one.id} provider={one} />
      ))}
    </div>
  );
}

function ByProvider({ provider }: { readonly provider: Provider }): ReactNode {
  const say = useSay();
  const session = useSession();
  const done = useMutation(async () => {
    leaveFor(await session.api.client.service(IdentityService).beginProviderSignIn({ providerId: provider.id }), "sign-in");
  });
  return (
    <>
      <Button big disabled={done.busy} onClick={() => done.submit()}>
        <Building2 size={18} strokeWidth={1.75} aria-hidden />
        <span className="truncate">{say("provider.go", { name: provider.name })}</span>
      </Button>
      <Wrong>{done.error}</Wrong>
    </>
  );
}

function Or({ children }: { readonly children: string }): ReactNode {
  return (
    <p className="flex items-center gap-3 text-12 text-muted before:h-px before:grow before:bg-line after:h-px after:grow after:bg-line">{children}</p>
  );
}
