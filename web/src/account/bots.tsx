import { type FormEvent, type ReactNode, useState } from "react";

import type { Bot } from "@creavio/client/auth/v1/bot";
import { TokenScope } from "@creavio/client/auth/v1/token";
import { useSay as useCore } from "@/i18n";
import type { Place } from "@/route";
import { useAsked } from "@/settings/asked";
import { SettingsHeader } from "@/settings/frame";
import { Answer, Line, Lines, Nothing, Section, SettingsBody } from "@/settings/page";
import { Select } from "@/settings/select";
import { nameOf } from "@/store/names";
import { Avatar, Button, Dialog, Field, Wrong } from "@/ui/parts";

import { useDoing } from "./doing";
import { Once } from "./once";
import { Prove, Sure } from "./proof";
import { type Lifetime, lifetimes, Scopes } from "./scopes";
import { useServices } from "./services";
import { useSay } from "./texts";
import { About } from "./tokens";

type Open = { readonly what: "new" } | { readonly what: "rename" | "token" | "delete"; readonly bot: Bot };

/** Programs that take part under names of their own. */
export function Bots({ list }: { readonly list: Place }): ReactNode {
  const say = useSay();
  const { bots } = useServices();
  const asked = useAsked(async () => (await bots.listBots({})).bots);
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  return (
    <>
      <SettingsHeader title={say("bots.title")} list={list} />
      <SettingsBody>
        <Section
          title={say("bots.yours")}
          lead={say("bots.lead")}
          action={
            <Button look="primary" onClick={() => setOpen({ what: "new" })}>
              {say("bots.new")}
            </Button>
          }
        >
          <Answer of={asked}>
            {(found) =>
              found.length === 0 ? (
                <Nothing>{say("bots.none")}</Nothing>
              ) : (
                <Lines label={say("bots.yours")}>
                  {found.map((bot) => {
                    const name = nameOf(bot.user);
                    return (
                      <Line
                        key={bot.user?.id}
                        icon={<Avatar id={bot.user?.id ?? ""} />}
                        title={<bdi>{name}</bdi>}
                        about={
                          <>
                            <bdi>@{bot.user?.handle}</bdi> · {bot.token === undefined ? say("bots.noToken") : <About token={bot.token} />}
                          </>
                        }
                      >
                        <Button aria-label={say("bots.tokenOf", { name })} onClick={() => setOpen({ what: "token", bot })}>
                          {say("bots.token")}
                        </Button>
                        <Button aria-label={say("bots.renameOne", { name })} onClick={() => setOpen({ what: "rename", bot })}>
                          {say("bots.rename")}
                        </Button>
                        <Button aria-label={say("bots.deleteOne", { name })} onClick={() => setOpen({ what: "delete", bot })}>
                          {say("bots.delete")}
                        </Button>
                      </Line>
                    );
                  })}
                </Lines>
              )
            }
          </Answer>
        </Section>
      </SettingsBody>
      {open?.what === "new" && <Make onClose={close} onMade={asked.again} />}
      {open?.what === "rename" && <Rename bot={open.bot} onClose={close} onDone={asked.again} />}
      {open?.what === "token" && <Rotate bot={open.bot} onClose={close} onDone={asked.again} />}
      {open?.what === "delete" && (
        <Sure
          title={say("bots.deleteSure", { name: nameOf(open.bot.user) })}
          lead={say("bots.deleteLead")}
          submit={say("bots.delete")}
          known={{ OWNS_COMMUNITIES: "bots.owns" }}
          onClose={close}
          act={async () => {
            await bots.deleteBot({ botId: open.bot.user?.id ?? "" });
            await asked.again();
          }}
        />
      )}
    </>
  );
}

interface DialogProps {
  readonly onClose: () => void;
  readonly onDone: () => Promise<void>;
}

function Make({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: () => Promise<void> }): ReactNode {
  const say = useSay();
  const { bots } = useServices();
  const [handle, setHandle] = useState("");
  const [displayName, setDisplayName] = useState("");
  const made = useDoing(
    async () => {
      await bots.createBot({ handle, displayName });
      await onMade();
      onClose();
    },
    { HANDLE_TAKEN: "handle.taken", LIMIT_REACHED: "bots.full", INVALID_FIELD: "handle.invalid" },
  );
  return (
    <Dialog title={say("bots.new")} open onClose={onClose}>
      <form className="grid gap-4" onSubmit={made.submit}>
        <Field label={say("bots.name")} maxLength={64} value={displayName} onChange={(event) => setDisplayName(event.target.value)} />
        <Field
          label={say("handle.label")}
          hint={say("bots.handleHint")}
          autoCapitalize="none"
          spellCheck={false}
          required
          minLength={2}
          maxLength={32}
          value={handle}
          error={made.error}
          onChange={(event) => setHandle(event.target.value)}
        />
        <Button type="submit" look="primary" disabled={made.busy}>
          {say("bots.make")}
        </Button>
      </form>
    </Dialog>
  );
}

function Rename({ bot, onClose, onDone }: DialogProps & { readonly bot: Bot }): ReactNode {
  const say = useSay();
  const core = useCore();
  const { bots } = useServices();
  const [displayName, setDisplayName] = useState(bot.user?.displayName ?? "");
  const done = useDoing(async () => {
    await bots.updateBot({ botId: bot.user?.id ?? "", displayName });
    await onDone();
    onClose();
  });
  return (
    <Dialog title={say("bots.renameOne", { name: nameOf(bot.user) })} open onClose={onClose}>
      <form className="grid gap-4" onSubmit={(event: FormEvent) => done.submit(event)}>
        <Field label={say("bots.name")} required maxLength={64} value={displayName} onChange={(event) => setDisplayName(event.target.value)} />
        <Wrong>{done.error}</Wrong>
        <Button type="submit" look="primary" disabled={done.busy}>
          {core("common.save")}
        </Button>
      </form>
    </Dialog>
  );
}

function Rotate({ bot, onClose, onDone }: DialogProps & { readonly bot: Bot }): ReactNode {
  const say = useSay();
  const core = useCore();
  const { bots } = useServices();
  const [scopes, setScopes] = useState<TokenScope[]>([TokenScope.READ, TokenScope.WRITE]);
  const [days, setDays] = useState<Lifetime>("366");
  const [made, setMade] = useState("");
  const name = nameOf(bot.user);
  if (made !== "") {
    return (
      <Dialog title={say("bots.tokenOf", { name })} open onClose={onClose}>
        <Once label={say("tokens.secret")}>{made}</Once>
        <Button look="primary" onClick={onClose}>
          {core("common.close")}
        </Button>
      </Dialog>
    );
  }
  return (
    <Prove
      title={say("bots.tokenOf", { name })}
      lead={bot.token === undefined ? undefined : say("bots.tokenLead")}
      submit={say("tokens.make")}
      known={{ INVALID_FIELD: "tokens.invalid" }}
      onClose={onClose}
      act={async (proof) => {
        const issued = await bots.rotateBotToken({ botId: bot.user?.id ?? "", scopes, lifetimeDays: Number(days), proof });
        setMade(issued.accessToken);
        await onDone();
      }}
    >
      <Scopes value={scopes} onChange={(value) => value.length > 0 && setScopes(value)} />
      <Select label={say("tokens.days")} value={days} onChange={setDays} options={lifetimes.map((value) => ({ value, title: say("tokens.someDays", { days: value }) }))} />
    </Prove>
  );
}
