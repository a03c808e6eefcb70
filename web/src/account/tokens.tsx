import { timestampDate } from "@bufbuild/protobuf/wkt";
import { KeyRound } from "lucide-react";
import { type ReactNode, useState } from "react";

import { type Token, TokenScope } from "@creavio/client/auth/v1/token";
import { useSay as useCore } from "@/i18n";
import type { Place } from "@/route";
import { useAsked } from "@/settings/asked";
import { SettingsHeader } from "@/settings/frame";
import { Answer, Line, Lines, Nothing, Section, SettingsBody } from "@/settings/page";
import { Select } from "@/settings/select";
import { Button, Dialog, Field } from "@/ui/parts";

import { Once } from "./once";
import { Prove, Sure } from "./proof";
import { type Lifetime, lifetimes, Scopes, useScopes } from "./scopes";
import { useServices } from "./services";
import { useSay } from "./texts";
import { date } from "./times";

/** Tokens by which programs act for oneself. */
export function Tokens({ list }: { readonly list: Place }): ReactNode {
  const say = useSay();
  const { tokens } = useServices();
  const asked = useAsked(async () => (await tokens.listTokens({})).tokens);
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<Token>();
  return (
    <>
      <SettingsHeader title={say("tokens.title")} list={list} />
      <SettingsBody>
        <Section
          title={say("tokens.yours")}
          lead={say("tokens.lead")}
          action={
            <Button look="primary" onClick={() => setMaking(true)}>
              {say("tokens.new")}
            </Button>
          }
        >
          <Answer of={asked}>
            {(found) =>
              found.length === 0 ? (
                <Nothing>{say("tokens.none")}</Nothing>
              ) : (
                <Lines label={say("tokens.yours")}>
                  {found.map((one) => (
                    <Line key={one.id} icon={<KeyRound size={20} strokeWidth={1.6} aria-hidden />} title={<bdi>{one.name}</bdi>} about={<About token={one} />}>
                      <Button aria-label={say("tokens.endOne", { name: one.name })} onClick={() => setEnding(one)}>
                        {say("tokens.end")}
                      </Button>
                    </Line>
                  ))}
                </Lines>
              )
            }
          </Answer>
        </Section>
      </SettingsBody>
      {making && <Make onClose={() => setMaking(false)} onMade={asked.again} />}
      {ending !== undefined && (
        <Sure
          title={say("tokens.endSure", { name: ending.name })}
          lead={say("tokens.endLead")}
          submit={say("tokens.end")}
          onClose={() => setEnding(undefined)}
          act={async () => {
            await tokens.revokeToken({ tokenId: ending.id });
            await asked.again();
          }}
        />
      )}
    </>
  );
}

/** What a token may do, until when, and when it was used. */
export function About({ token }: { readonly token: Token }): ReactNode {
  const say = useSay();
  const scopes = useScopes();
  return (
    <>
      {scopes(token.scopes)}
      {token.expireTime !== undefined && <> · {say("tokens.until", { date: date(timestampDate(token.expireTime)) })}</>} ·{" "}
      {token.lastUseDate === "" ? say("tokens.unused") : say("tokens.used", { date: date(new Date(`${token.lastUseDate}T12:00:00`)) })}
    </>
  );
}

function Make({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: () => Promise<void> }): ReactNode {
  const say = useSay();
  const core = useCore();
  const { tokens } = useServices();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<TokenScope[]>([TokenScope.READ]);
  const [days, setDays] = useState<Lifetime>("90");
  const [made, setMade] = useState("");
  if (made !== "") {
    return (
      <Dialog title={say("tokens.made", { name })} open onClose={onClose}>
        <Once label={say("tokens.secret")}>{made}</Once>
        <Button look="primary" onClick={onClose}>
          {core("common.close")}
        </Button>
      </Dialog>
    );
  }
  return (
    <Prove
      title={say("tokens.new")}
      submit={say("tokens.make")}
      known={{ LIMIT_REACHED: "tokens.full", INVALID_FIELD: "tokens.invalid" }}
      onClose={onClose}
      act={async (proof) => {
        const issued = await tokens.createToken({ name, scopes, lifetimeDays: Number(days), proof });
        setMade(issued.accessToken);
        await onMade();
      }}
    >
      <Field label={say("tokens.name")} hint={say("tokens.nameHint")} required maxLength={64} value={name} onChange={(event) => setName(event.target.value)} />
      <Scopes value={scopes} onChange={setScopes} />
      <Select label={say("tokens.days")} value={days} onChange={setDays} options={lifetimes.map((value) => ({ value, title: say("tokens.someDays", { days: value }) }))} />
    </Prove>
  );
}
