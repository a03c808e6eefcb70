import { timestampDate } from "@bufbuild/protobuf/wkt";
import { FingerprintPattern } from "lucide-react";
import { type ReactNode, useState } from "react";

import type { Passkey } from "@creavio/client/auth/v1/passkey";
import { useSay as useCore } from "@/i18n";
import { useAsked } from "@/settings/asked";
import { Answer, Badge, Line, Lines, Nothing, Section } from "@/settings/page";
import { Button, Dialog, Field, Wrong } from "@/ui/parts";
import { makePasskey, passkeysWork } from "@/ui/passkeys";

import { agentOf } from "./agent";
import { useDoing } from "./doing";
import { Prove } from "./proof";
import { useServices } from "./services";
import { useSay } from "./texts";
import { ago, date } from "./times";

type Open = { readonly what: "new" } | { readonly what: "rename" | "delete"; readonly passkey: Passkey };

/** Passkeys: signing in without a password. */
export function Passkeys(): ReactNode {
  const say = useSay();
  const { passkeys } = useServices();
  const asked = useAsked(async () => (await passkeys.listPasskeys({})).passkeys);
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  return (
    <Section
      title={say("keys.title")}
      lead={say("keys.lead")}
      action={passkeysWork() && <Button onClick={() => setOpen({ what: "new" })}>{say("keys.new")}</Button>}
    >
      <Answer of={asked}>
        {(found) =>
          found.length === 0 ? (
            <Nothing>{say(passkeysWork() ? "keys.none" : "keys.cannot")}</Nothing>
          ) : (
            <Lines label={say("keys.title")}>
              {found.map((one) => (
                <Line
                  key={one.id}
                  icon={<FingerprintPattern size={20} strokeWidth={1.6} aria-hidden />}
                  title={
                    <>
                      <bdi>{one.name}</bdi> {one.synced && <Badge>{say("keys.synced")}</Badge>}
                    </>
                  }
                  about={
                    <>
                      {one.createTime !== undefined && say("keys.since", { date: date(timestampDate(one.createTime)) })} ·{" "}
                      {one.lastUseTime === undefined ? say("keys.unused") : say("keys.used", { ago: ago(timestampDate(one.lastUseTime)) })}
                    </>
                  }
                >
                  <Button aria-label={say("keys.renameOne", { name: one.name })} onClick={() => setOpen({ what: "rename", passkey: one })}>
                    {say("keys.rename")}
                  </Button>
                  <Button aria-label={say("keys.deleteOne", { name: one.name })} onClick={() => setOpen({ what: "delete", passkey: one })}>
                    {say("keys.delete")}
                  </Button>
                </Line>
              ))}
            </Lines>
          )
        }
      </Answer>
      {open?.what === "new" && <Make onClose={close} onMade={asked.again} />}
      {open?.what === "rename" && <Rename passkey={open.passkey} onClose={close} onDone={asked.again} />}
      {open?.what === "delete" && (
        <Prove
          title={say("keys.deleteSure", { name: open.passkey.name })}
          lead={<p>{say("keys.deleteLead")}</p>}
          submit={say("keys.delete")}
          destroys
          onClose={close}
          act={async (proof) => {
            await passkeys.deletePasskey({ passkeyId: open.passkey.id, proof });
            await asked.again();
            close();
          }}
        />
      )}
    </Section>
  );
}

function Make({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: () => Promise<void> }): ReactNode {
  const say = useSay();
  const { passkeys } = useServices();
  const [name, setName] = useState(() => {
    const { program, system } = agentOf(navigator.userAgent);
    return system === "" ? program : say("sessions.on", { program, system });
  });
  return (
    <Prove
      title={say("keys.new")}
      lead={<p>{say("keys.newLead")}</p>}
      submit={say("keys.make")}
      known={{ LIMIT_REACHED: "keys.full", PASSKEY_KNOWN: "keys.known" }}
      onClose={onClose}
      act={async (proof) => {
        const { options, challengeToken } = await passkeys.beginPasskey({ proof });
        await passkeys.registerPasskey({ challengeToken, credential: await makePasskey(options), name });
        await onMade();
        onClose();
      }}
    >
      <Field label={say("keys.name")} hint={say("keys.nameHint")} required maxLength={64} value={name} onChange={(event) => setName(event.target.value)} />
    </Prove>
  );
}

function Rename({ passkey, onClose, onDone }: { readonly passkey: Passkey; readonly onClose: () => void; readonly onDone: () => Promise<void> }): ReactNode {
  const say = useSay();
  const core = useCore();
  const { passkeys } = useServices();
  const [name, setName] = useState(passkey.name);
  const done = useDoing(
    async () => {
      await passkeys.updatePasskey({ passkeyId: passkey.id, name });
      await onDone();
      onClose();
    },
    { NOT_FOUND: "wrong.meanwhile" },
  );
  return (
    <Dialog title={say("keys.renameOne", { name: passkey.name })} open onClose={onClose}>
      <form className="grid gap-4" onSubmit={done.submit}>
        <Field label={say("keys.name")} required maxLength={64} value={name} onChange={(event) => setName(event.target.value)} />
        <Wrong>{done.error}</Wrong>
        <Button type="submit" look="primary" disabled={done.busy}>
          {core("common.save")}
        </Button>
      </form>
    </Dialog>
  );
}
