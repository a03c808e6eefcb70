import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Laptop, Smartphone } from "lucide-react";
import { type ReactNode, useState } from "react";

import type { ActiveSession } from "@creavio/client/auth/v1/session_service";
import type { Place } from "@/route";
import { useAsked } from "@/settings/asked";
import { SettingsHeader } from "@/settings/frame";
import { Answer, Badge, Line, Lines, Nothing, Section, SettingsBody } from "@/settings/page";
import { useActions } from "@/ui/context";
import { Button, Wrong } from "@/ui/parts";

import { agentOf } from "./agent";
import { useDoing } from "./doing";
import { Sure } from "./proof";
import { useSay } from "./texts";
import { ago, date } from "./times";

/** Where one is signed in. */
export function Sessions({ list }: { readonly list: Place }): ReactNode {
  const say = useSay();
  const { api } = useActions();
  const asked = useAsked(async () => (await api.sessions.listSessions({})).sessions);
  const [all, setAll] = useState(false);
  const others = (asked.value ?? []).filter((one) => !one.current);
  return (
    <>
      <SettingsHeader title={say("sessions.title")} list={list} />
      <SettingsBody>
        <Section title={say("sessions.here")}>
          <Answer of={asked}>
            {(sessions) => (
              <Lines label={say("sessions.here")}>
                {sessions.filter((one) => one.current).map((one) => <One key={one.id} session={one} onOver={asked.again} />)}
              </Lines>
            )}
          </Answer>
        </Section>
        {asked.value !== undefined && (
          <Section
            title={say("sessions.others")}
            lead={say("sessions.lead")}
            action={others.length > 1 && <Button onClick={() => setAll(true)}>{say("sessions.endAll")}</Button>}
          >
            {others.length === 0 ? (
              <Nothing>{say("sessions.none")}</Nothing>
            ) : (
              <Lines label={say("sessions.others")}>
                {others.map((one) => (
                  <One key={one.id} session={one} onOver={asked.again} />
                ))}
              </Lines>
            )}
          </Section>
        )}
      </SettingsBody>
      {all && (
        <Sure
          title={say("sessions.endAllSure")}
          lead={say("sessions.endAllLead")}
          submit={say("sessions.endAll")}
          onClose={() => setAll(false)}
          act={async () => {
            // Each by itself: what ended is over, also when one of them does not.
            await Promise.all(others.map((one) => api.sessions.revokeSession({ sessionId: one.id }))).finally(asked.again);
          }}
        />
      )}
    </>
  );
}

function One({ session, onOver }: { readonly session: ActiveSession; readonly onOver: () => Promise<void> }): ReactNode {
  const say = useSay();
  const { api } = useActions();
  const { program, system, mobile } = agentOf(session.userAgent);
  const ended = useDoing(async () => {
    await api.sessions.revokeSession({ sessionId: session.id });
    await onOver();
  });
  const name = program === "" ? say("sessions.unknown") : system === "" ? program : say("sessions.on", { program, system });
  const Icon = mobile ? Smartphone : Laptop;
  const used = session.useTime ?? session.createTime;
  return (
    <Line
      icon={<Icon size={20} strokeWidth={1.6} aria-hidden />}
      title={
        <>
          <bdi>{name}</bdi> {session.current && <Badge look="good">{say("sessions.this")}</Badge>}
        </>
      }
      about={
        <>
          {session.network !== "" && (
            <>
              {say("sessions.from")} <bdi>{session.network}</bdi> ·{" "}
            </>
          )}
          {session.createTime !== undefined && say("sessions.since", { date: date(timestampDate(session.createTime)) })}
          {!session.current && used !== undefined && <> · {say("sessions.used", { ago: ago(timestampDate(used)) })}</>}
          <Wrong>{ended.error}</Wrong>
        </>
      }
    >
      {!session.current && (
        <Button aria-label={say("sessions.endOne", { name })} disabled={ended.busy} onClick={() => ended.submit()}>
          {say("sessions.end")}
        </Button>
      )}
    </Line>
  );
}
