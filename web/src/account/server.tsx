import { timestampDate } from "@bufbuild/protobuf/wkt";
import { CallError } from "@creavio/client";
import { type FormEvent, type ReactNode, useState } from "react";

import { RegistrationMode } from "@creavio/client/auth/v1/registration";
import { RegistrationService } from "@creavio/client/auth/v1/registration_service";
import { InstanceService } from "@creavio/client/rbac/v1/instance_service";
import type { Place } from "@/route";
import { useAsked } from "@/settings/asked";
import { SettingsHeader } from "@/settings/frame";
import { Answer, Line, Lines, Nothing, Section, SettingsBody } from "@/settings/page";
import { Switch } from "@/settings/parts";
import { Select } from "@/settings/select";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { Avatar, Button, Field, Wrong } from "@/ui/parts";

import { useDoing } from "./doing";
import { useSay } from "./texts";
import { date } from "./times";

const modes = { open: RegistrationMode.OPEN, invite: RegistrationMode.INVITE, closed: RegistrationMode.CLOSED } as const;
type Mode = keyof typeof modes;

/** Who looks after this server, and who may come: for who does, and for who is to. */
export function Server({ list }: { readonly list: Place }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const instance = actions.api.client.service(InstanceService);
  const asked = useAsked(async () => {
    try {
      const { userIds } = await instance.listAdministrators({});
      actions.know(userIds);
      return userIds;
    } catch (thrown) {
      // Who looks after it is told to those who do.
      if (thrown instanceof CallError && thrown.reason === "PERMISSION_DENIED") return [];
      throw thrown;
    }
  });
  return (
    <>
      <SettingsHeader title={say("server.title")} list={list} />
      <SettingsBody>
        <Answer of={asked}>
          {(administrators) =>
            administrators.length === 0 ? (
              <Claim onClaimed={asked.again} />
            ) : (
              <>
                <Coming />
                <Administrators ids={administrators} onChanged={asked.again} />
              </>
            )
          }
        </Answer>
      </SettingsBody>
    </>
  );
}

interface OneFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly submit: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly doing: ReturnType<typeof useDoing>;
}

/** A field of one line, and what is done with it. */
function OneField({ label, hint, submit, value, onChange, doing }: OneFieldProps): ReactNode {
  return (
    <form className="grid gap-2" onSubmit={(event: FormEvent) => doing.submit(event)}>
      <div className="flex items-start gap-2">
        <Field
          className="grow"
          label={label}
          hint={hint}
          value={value}
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onChange(event.target.value)}
        />
        <Button type="submit" className="mt-6 min-h-10!" disabled={doing.busy || value.trim() === ""}>
          {submit}
        </Button>
      </div>
      <Wrong>{doing.error}</Wrong>
    </form>
  );
}

function Claim({ onClaimed }: { readonly onClaimed: () => Promise<void> }): ReactNode {
  const say = useSay();
  const { client } = useActions().api;
  const [code, setCode] = useState("");
  const claim = useDoing(
    async () => {
      await client.service(InstanceService).claimInstance({ code: code.trim() });
      await onClaimed();
    },
    { CLAIM_REFUSED: "server.claimRefused" },
  );
  return (
    <Section title={say("server.claim")} lead={say("server.claimLead")}>
      <OneField label={say("server.code")} hint={say("server.codeHint")} submit={say("server.claimIt")} value={code} onChange={setCode} doing={claim} />
    </Section>
  );
}

function Administrators({ ids, onChanged }: { readonly ids: readonly string[]; readonly onChanged: () => Promise<void> }): ReactNode {
  const say = useSay();
  const { api } = useActions();
  const instance = api.client.service(InstanceService);
  const users = useKnown((state) => state.users);
  const [handle, setHandle] = useState("");
  const [going, setGoing] = useState("");
  const add = useDoing(
    async () => {
      const { id: userId } = await api.users.getUserByHandle({ handle: handle.trim().replace(/^@/, "").toLowerCase() });
      await instance.addAdministrator({ userId });
      setHandle("");
      await onChanged();
    },
    { NOT_FOUND: "server.nobody" },
  );
  const remove = useDoing(
    async () => {
      await instance.removeAdministrator({ userId: going });
      await onChanged();
    },
    { LAST_ADMINISTRATOR: "server.last" },
  );
  return (
    <Section title={say("server.administrators")} lead={say("server.administratorsLead")}>
      <Lines label={say("server.administrators")}>
        {ids.map((id) => (
          <Line key={id} icon={<Avatar id={id} size="s" />} title={<bdi>{nameOf(users[id])}</bdi>} about={<bdi>@{users[id]?.handle}</bdi>}>
            {going === id ? (
              <>
                <Button onClick={() => setGoing("")}>{say("common.cancel")}</Button>
                <Button look="danger" disabled={remove.busy} onClick={() => remove.submit()}>
                  {say("server.remove")}
                </Button>
              </>
            ) : (
              <Button look="quiet" aria-label={`${say("server.remove")}: ${nameOf(users[id])}`} onClick={() => setGoing(id)}>
                {say("server.remove")}
              </Button>
            )}
          </Line>
        ))}
      </Lines>
      <Wrong>{remove.error}</Wrong>
      <OneField label={say("server.handle")} hint={say("server.handleHint")} submit={say("server.add")} value={handle} onChange={setHandle} doing={add} />
    </Section>
  );
}

/** Who may sign up, and the codes that let people. */
function Coming(): ReactNode {
  const say = useSay();
  const registration = useActions().api.client.service(RegistrationService);
  const asked = useAsked(async () => await registration.getRegistration({}));
  const codes = useAsked(async () => (await registration.listSignUpCodes({})).codes);
  const [wanted, setWanted] = useState<{ mode?: RegistrationMode; requireVerifiedEmail?: boolean }>({});
  const change = useDoing(async () => {
    await registration.updateRegistration(wanted);
    await asked.again();
  });
  const create = useDoing(async () => {
    await registration.createSignUpCode({ requestId: crypto.randomUUID() });
    await codes.again();
  });
  const [over, setOver] = useState("");
  const remove = useDoing(async () => {
    await registration.deleteSignUpCode({ code: over });
    await codes.again();
  });
  return (
    <>
      <Section title={say("server.coming")}>
        <Answer of={asked}>
          {(now) => {
            const { mode, requireVerifiedEmail } = { ...now, ...wanted };
            return (
              <form className="grid gap-3" onSubmit={change.submit}>
                <Select<Mode>
                  label={say("server.who")}
                  value={mode === modes.invite ? "invite" : mode === modes.closed ? "closed" : "open"}
                  options={[
                    { value: "open", title: say("server.open") },
                    { value: "invite", title: say("server.invite") },
                    { value: "closed", title: say("server.closed") },
                  ]}
                  onChange={(one) => setWanted({ ...wanted, mode: modes[one] })}
                />
                <Switch
                  label={say("server.verified")}
                  hint={say("server.verifiedHint")}
                  checked={requireVerifiedEmail}
                  onChange={(on) => setWanted({ ...wanted, requireVerifiedEmail: on })}
                />
                <Wrong>{change.error}</Wrong>
                <Button
                  type="submit"
                  look="primary"
                  className="justify-self-start"
                  disabled={change.busy || (mode === now.mode && requireVerifiedEmail === now.requireVerifiedEmail)}
                >
                  {say("common.save")}
                </Button>
              </form>
            );
          }}
        </Answer>
      </Section>
      <Section
        title={say("server.codes")}
        lead={say("server.codesLead")}
        action={
          <Button disabled={create.busy} onClick={() => create.submit()}>
            {say("server.newCode")}
          </Button>
        }
      >
        <Wrong>{create.error ?? remove.error}</Wrong>
        <Answer of={codes}>
          {(all) =>
            all.length === 0 ? (
              <Nothing>{say("server.noCodes")}</Nothing>
            ) : (
              <Lines label={say("server.codes")}>
                {all.map((one) => (
                  <Line
                    key={one.code}
                    title={<code dir="ltr">{one.code}</code>}
                    about={say("server.uses", { uses: one.uses, max: one.maxUses, time: one.expireTime === undefined ? "" : date(timestampDate(one.expireTime)) })}
                  >
                    {over === one.code ? (
                      <Button look="danger" disabled={remove.busy} onClick={() => remove.submit()}>
                        {say("server.deleteSure")}
                      </Button>
                    ) : (
                      <Button look="quiet" onClick={() => setOver(one.code)}>
                        {say("server.delete")}
                      </Button>
                    )}
                  </Line>
                ))}
              </Lines>
            )
          }
        </Answer>
      </Section>
    </>
  );
}
