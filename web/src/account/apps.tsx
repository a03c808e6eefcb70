import { timestampDate } from "@bufbuild/protobuf/wkt";
import { AppWindow } from "lucide-react";
import { type ReactNode, useState } from "react";

import type { App, IssuedApp } from "@creavio/client/auth/v1/app";
import type { Consent } from "@creavio/client/auth/v1/consent_service";
import { TokenScope } from "@creavio/client/auth/v1/token";
import { useSay as useCore } from "@/i18n";
import type { Place } from "@/route";
import { useAsked } from "@/settings/asked";
import { SettingsHeader } from "@/settings/frame";
import { Answer, Line, Lines, Nothing, Section, SettingsBody } from "@/settings/page";
import { Area, Tick } from "@/settings/parts";
import { Button, Dialog, Field } from "@/ui/parts";

import { Once } from "./once";
import { Prove, Sure } from "./proof";
import { Scopes, useScopes } from "./scopes";
import { useServices } from "./services";
import { useSay } from "./texts";
import { date } from "./times";

/** Apps that may act for oneself, and those one made for others. */
export function Apps({ list }: { readonly list: Place }): ReactNode {
  const say = useSay();
  return (
    <>
      <SettingsHeader title={say("apps.title")} list={list} />
      <SettingsBody>
        <Consents />
        <Own />
      </SettingsBody>
    </>
  );
}

function Consents(): ReactNode {
  const say = useSay();
  const scopes = useScopes();
  const { consents } = useServices();
  const asked = useAsked(async () => (await consents.listConsents({})).consents);
  const [ending, setEnding] = useState<Consent>();
  return (
    <Section title={say("apps.let")} lead={say("apps.letLead")}>
      <Answer of={asked}>
        {(found) =>
          found.length === 0 ? (
            <Nothing>{say("apps.letNone")}</Nothing>
          ) : (
            <Lines label={say("apps.let")}>
              {found.map((one) => {
                const name = one.app?.name ?? "";
                return (
                  <Line
                    key={one.app?.id}
                    icon={<AppWindow size={20} strokeWidth={1.6} aria-hidden />}
                    title={<bdi>{name}</bdi>}
                    about={
                      <>
                        {scopes(one.scopes)}
                        {one.createTime !== undefined && <> · {say("apps.since", { date: date(timestampDate(one.createTime)) })}</>}
                      </>
                    }
                  >
                    <Button aria-label={say("apps.endOne", { name })} onClick={() => setEnding(one)}>
                      {say("apps.end")}
                    </Button>
                  </Line>
                );
              })}
            </Lines>
          )
        }
      </Answer>
      {ending !== undefined && (
        <Sure
          title={say("apps.endSure", { name: ending.app?.name ?? "" })}
          lead={say("apps.endLead")}
          submit={say("apps.end")}
          onClose={() => setEnding(undefined)}
          act={async () => {
            await consents.revokeConsent({ appId: ending.app?.id ?? "" });
            await asked.again();
          }}
        />
      )}
    </Section>
  );
}

type Open = { readonly what: "new" } | { readonly what: "rotate" | "delete"; readonly app: App } | { readonly what: "made"; readonly issued: IssuedApp };

function Own(): ReactNode {
  const say = useSay();
  const core = useCore();
  const scopes = useScopes();
  const { apps } = useServices();
  const asked = useAsked(async () => (await apps.listApps({})).apps);
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const issued = async (made: IssuedApp): Promise<void> => {
    setOpen({ what: "made", issued: made });
    await asked.again();
  };
  return (
    <Section
      title={say("apps.own")}
      lead={say("apps.ownLead")}
      action={
        <Button look="primary" onClick={() => setOpen({ what: "new" })}>
          {say("apps.new")}
        </Button>
      }
    >
      <Answer of={asked}>
        {(found) =>
          found.length === 0 ? (
            <Nothing>{say("apps.ownNone")}</Nothing>
          ) : (
            <Lines label={say("apps.own")}>
              {found.map((app) => (
                <Line
                  key={app.id}
                  icon={<AppWindow size={20} strokeWidth={1.6} aria-hidden />}
                  title={<bdi>{app.name}</bdi>}
                  about={
                    <>
                      <span className="block">
                        {scopes(app.scopes)} · {say(app.confidential ? "apps.confidential" : "apps.public")}
                      </span>
                      <bdi className="block font-mono text-12">{app.id}</bdi>
                      {app.redirectUris.map((uri) => (
                        <bdi key={uri} className="block">
                          {uri}
                        </bdi>
                      ))}
                    </>
                  }
                >
                  {app.confidential && (
                    <Button aria-label={say("apps.rotateOne", { name: app.name })} onClick={() => setOpen({ what: "rotate", app })}>
                      {say("apps.rotate")}
                    </Button>
                  )}
                  <Button aria-label={say("apps.deleteOne", { name: app.name })} onClick={() => setOpen({ what: "delete", app })}>
                    {say("apps.delete")}
                  </Button>
                </Line>
              ))}
            </Lines>
          )
        }
      </Answer>
      {open?.what === "new" && <Make onClose={close} onMade={issued} />}
      {open?.what === "made" && (
        <Dialog title={open.issued.app?.name ?? ""} open onClose={close}>
          <p className="text-13 text-muted">{say("apps.clientId")}</p>
          <bdi className="font-mono text-13 [overflow-wrap:anywhere]">{open.issued.app?.id}</bdi>
          {open.issued.clientSecret !== "" && <Once label={say("apps.secret")}>{open.issued.clientSecret}</Once>}
          <Button look="primary" onClick={close}>
            {core("common.close")}
          </Button>
        </Dialog>
      )}
      {open?.what === "rotate" && (
        <Prove
          title={say("apps.rotateOne", { name: open.app.name })}
          lead={say("apps.rotateLead")}
          submit={say("apps.rotate")}
          onClose={close}
          act={async (proof) => issued(await apps.rotateAppSecret({ appId: open.app.id, proof }))}
        />
      )}
      {open?.what === "delete" && (
        <Sure
          title={say("apps.deleteSure", { name: open.app.name })}
          lead={say("apps.deleteLead")}
          submit={say("apps.delete")}
          onClose={close}
          act={async () => {
            await apps.deleteApp({ appId: open.app.id });
            await asked.again();
          }}
        />
      )}
    </Section>
  );
}

function Make({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: (issued: IssuedApp) => Promise<void> }): ReactNode {
  const say = useSay();
  const { apps } = useServices();
  const [name, setName] = useState("");
  const [uris, setUris] = useState("");
  const [scopes, setScopes] = useState<TokenScope[]>([TokenScope.READ]);
  const [confidential, setConfidential] = useState(true);
  return (
    <Prove
      title={say("apps.new")}
      submit={say("apps.make")}
      known={{ INVALID_REDIRECT_URI: "apps.badUri", LIMIT_REACHED: "apps.full", INVALID_FIELD: "apps.invalid" }}
      onClose={onClose}
      act={async (proof) => {
        const redirectUris = uris.split(/\s+/).filter((one) => one !== "");
        await onMade(await apps.createApp({ name, redirectUris, scopes, confidential, proof }));
      }}
    >
      <Field label={say("apps.name")} hint={say("apps.nameHint")} required maxLength={64} value={name} onChange={(event) => setName(event.target.value)} />
      <Area label={say("apps.uris")} hint={say("apps.urisHint")} rows={2} dir="ltr" required spellCheck={false} value={uris} onChange={(event) => setUris(event.target.value)} />
      <Scopes value={scopes} onChange={setScopes} />
      <Tick label={say("apps.confidential")} hint={say("apps.confidentialHint")} checked={confidential} onChange={setConfidential} />
    </Prove>
  );
}
