import { type ReactNode, useState } from "react";

import { PresenceStatus } from "@creavio/client/gateway/v1/presence";
import { ProfileAudience, type User } from "@creavio/client/user/v1/user";
import type { Place } from "@/route";
import { SettingsHeader } from "@/settings/frame";
import { Section, SettingsBody } from "@/settings/page";
import { Area, Choice } from "@/settings/parts";
import { SaveBar } from "@/settings/save-bar";
import { Select } from "@/settings/select";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { Avatar, Button, Field, Wrong } from "@/ui/parts";
import { wrong } from "@/ui/wrong";

import { useDoing } from "./doing";
import { Prove } from "./proof";
import { useServices } from "./services";
import { useSay } from "./texts";

type Draft = Partial<Pick<User, "displayName" | "statusText" | "bio" | "bioAudience" | "statusAudience">>;

/** What others see of oneself. */
export function Profile({ list }: { readonly list: Place }): ReactNode {
  const me = useKnown((state) => state.me);
  return me === undefined ? null : <Own me={me} list={list} />;
}

function Own({ me, list }: { readonly me: User; readonly list: Place }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [draft, setDraft] = useState<Draft>({});
  const now = { ...me, ...draft };
  const changed = (Object.keys(draft) as (keyof Draft)[]).some((name) => draft[name] !== me[name]);
  const save = useDoing(async () => {
    const user = await actions.api.users.updateMe(draft);
    actions.heard({ case: "userUpdated", value: { user } as never });
    setDraft({});
  });
  const text = (name: "displayName" | "statusText" | "bio", field: string) => ({
    value: now[name],
    error: save.fields[field],
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [name]: event.target.value }),
  });
  return (
    <>
      <SettingsHeader title={say("profile.title")} lead={say("profile.headLead")} list={list} />
      <SettingsBody>
        <div className="flex items-center gap-4 rounded-card bg-sunken p-4">
          <Avatar id={me.id} size="l" />
          <div className="grid min-w-0 gap-0.5">
            <p dir="auto" className="truncate font-display text-20 font-bold tracking-[-0.012em]">
              {nameOf(now)}
            </p>
            <bdi className="truncate text-13 text-faint">@{me.handle}</bdi>
            {now.statusText !== "" && (
              <p dir="auto" className="text-13 text-muted [overflow-wrap:anywhere]">
                {now.statusText}
              </p>
            )}
          </div>
        </div>
        <form
          className="grid gap-5"
          onSubmit={(event) => {
            if (changed) save.submit(event);
            else event.preventDefault();
          }}
        >
          <Field label={say("profile.name")} hint={say("profile.nameHint")} required maxLength={64} autoComplete="name" dir="auto" {...text("displayName", "display_name")} />
          <div className="grid items-start gap-4 mid:grid-cols-[minmax(0,1fr)_15rem]">
            <Field label={say("profile.status")} hint={say("profile.statusHint")} maxLength={128} dir="auto" {...text("statusText", "status_text")} />
            <Audience label={say("profile.statusAudience")} value={now.statusAudience} onChange={(statusAudience) => setDraft({ ...draft, statusAudience })} />
          </div>
          <div className="grid items-start gap-4 mid:grid-cols-[minmax(0,1fr)_15rem]">
            <Area label={say("profile.bio")} hint={say("profile.bioHint", { count: 500 - [...now.bio].length })} maxLength={500} {...text("bio", "bio")} />
            <Audience label={say("profile.bioAudience")} value={now.bioAudience} onChange={(bioAudience) => setDraft({ ...draft, bioAudience })} />
          </div>
          {/* Enter saves, as the bar does. */}
          <button type="submit" hidden />
        </form>
        <Here me={me} />
        <Handle me={me} />
      </SettingsBody>
      <SaveBar
        changed={changed}
        busy={save.busy || now.displayName === ""}
        error={Object.keys(save.fields).length > 0 ? undefined : save.error}
        what={say("profile.saveWhat")}
        onUndo={() => setDraft({})}
        onSave={() => save.submit()}
      />
    </>
  );
}

interface AudienceProps {
  readonly label: string;
  readonly value: ProfileAudience;
  readonly onChange: (value: ProfileAudience) => void;
}

function Audience({ label, value, onChange }: AudienceProps): ReactNode {
  const say = useSay();
  return (
    <Select
      label={label}
      value={String(value)}
      onChange={(one) => onChange(Number(one))}
      options={[
        { value: String(ProfileAudience.UNSPECIFIED), title: say("audience.everybody") },
        { value: String(ProfileAudience.COMMUNITIES), title: say("audience.communities") },
        { value: String(ProfileAudience.NOBODY), title: say("audience.nobody") },
      ]}
    />
  );
}

/** How one is there, until the last window is closed. */
function Here({ me }: { readonly me: User }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const { api } = actions;
  const known = useKnown((state) => state.presences[me.id]);
  const [wanted, setWanted] = useState<PresenceStatus>();
  const [error, setError] = useState<string>();
  const choose = async (status: PresenceStatus): Promise<void> => {
    setWanted(status);
    setError(undefined);
    try {
      await api.gateway.setPresence({ status });
      actions.heard({ case: "presence", value: { userId: me.id, status } as never });
    } catch (thrown) {
      setWanted(undefined);
      setError(wrong(thrown));
    }
  };
  return (
    <Section title={say("here.title")} lead={say("here.lead")}>
      <Choice
        title={say("here.choose")}
        value={String(wanted ?? known ?? PresenceStatus.ONLINE)}
        onChange={(value) => void choose(Number(value))}
        options={[
          { value: String(PresenceStatus.ONLINE), title: say("here.online") },
          { value: String(PresenceStatus.IDLE), title: say("here.idle") },
          { value: String(PresenceStatus.DO_NOT_DISTURB), title: say("here.quiet"), hint: say("here.quietHint") },
          { value: String(PresenceStatus.OFFLINE), title: say("here.hidden"), hint: say("here.hiddenHint") },
        ]}
      />
      <Wrong>{error}</Wrong>
    </Section>
  );
}

function Handle({ me }: { readonly me: User }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const { accounts } = useServices();
  const [open, setOpen] = useState(false);
  const [handle, setHandle] = useState("");
  return (
    <Section
      title={say("handle.title")}
      lead={say("handle.lead")}
      action={
        <Button
          onClick={() => {
            setHandle("");
            setOpen(true);
          }}
        >
          {say("handle.change")}
        </Button>
      }
    >
      <p className="font-medium">
        <bdi>@{me.handle}</bdi>
      </p>
      {open && (
        <Prove
          title={say("handle.change")}
          lead={
            <ul className="grid list-disc gap-1 ps-4.5">
              <li>{say("handle.rule1")}</li>
              <li>{say("handle.rule2")}</li>
              <li>{say("handle.rule3")}</li>
            </ul>
          }
          submit={say("handle.change")}
          known={{ HANDLE_TAKEN: "handle.taken", HANDLE_CHANGE_TOO_SOON: "handle.tooSoon", INVALID_FIELD: "handle.invalid" }}
          onClose={() => setOpen(false)}
          act={async (proof) => {
            const user = await accounts.changeHandle({ handle, proof });
            actions.heard({ case: "userUpdated", value: { user } as never });
            setOpen(false);
          }}
        >
          <Field
            label={say("handle.new")}
            hint={say("handle.hint")}
            autoCapitalize="none"
            spellCheck={false}
            required
            minLength={2}
            maxLength={32}
            value={handle}
            onChange={(event) => setHandle(event.target.value)}
          />
        </Prove>
      )}
    </Section>
  );
}
