import { create } from "@bufbuild/protobuf";
import { ArrowDown, ArrowUp, Plus, Trash2, X } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";

import { type Onboarding, type Rule, RuleSchema } from "@creavio/client/community/v1/onboarding";
import { OnboardingService } from "@creavio/client/community/v1/onboarding_service";
import { SettingsHeader } from "@/settings/frame";
import { Nothing, Section } from "@/settings/page";
import { Area, Switch } from "@/settings/parts";
import { Picker } from "@/settings/picker";
import { stepped } from "@/settings/reorder";
import { SaveBar } from "@/settings/save-bar";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { Button, Field, IconButton, Wrong } from "@/ui/parts";
import { Sign } from "@/ui/sign";
import { wrong } from "@/ui/wrong";

import { useHeard, useManaging } from "./managing";
import type { PageProps } from "./page";
import { Body, useChange } from "./parts";
import { Questions } from "./questions";
import { useSay } from "./texts";

type Draft = Partial<Pick<Onboarding, "rules" | "welcome" | "channelIds" | "mustAccept" | "questions">>;

const most = { rules: 20, channels: 5 } as const;
const told = ["onboardingUpdated", "refetch"] as const;

/** What newcomers meet: rules, a welcome, and where to begin. */
export function Newcomers({ community, list }: PageProps): ReactNode {
  const say = useSay();
  const { communityId } = useManaging();
  const { client } = useActions().api;
  const service = useMemo(() => client.service(OnboardingService), [client]);
  const [kept, setKept] = useState<Onboarding>();
  const [draft, setDraft] = useState<Draft>({});
  const [error, setError] = useState<string>();
  const fetch = useCallback(() => {
    service.getOnboarding({ communityId }).then(setKept, (thrown: unknown) => setError(wrong(thrown)));
  }, [service, communityId]);
  useEffect(fetch, [fetch]);
  useHeard(told, fetch);
  const channels = useKnown((state) => state.channels[communityId]) ?? [];
  const save = useChange(
    async () => {
      setKept(
        await service.updateOnboarding({
          communityId,
          ...draft,
          etag: kept?.etag ?? "",
          updateMask: { paths: Object.keys(draft).map((one) => names[one as keyof Draft]) },
        }),
      );
      setDraft({});
    },
    { ADMINISTRATIVE_ROLE: "questions.tooMuch" },
  );
  const value = { rules: [], welcome: "", channelIds: [], mustAccept: false, questions: [], ...kept, ...draft } as Required<Draft>;
  const put = (at: number, change: Partial<Rule>): void =>
    setDraft({ ...draft, rules: value.rules.map((one, here) => (here === at ? { ...one, ...change } : one)) });
  const move = (at: number, by: -1 | 1): void => {
    const order = stepped(value.rules.map((_, here) => String(here)), String(at), by);
    setDraft({ ...draft, rules: order.map((here) => value.rules[Number(here)] as Rule) });
  };
  const picks = channels.filter((one) => !value.channelIds.includes(one.id)).map((one) => ({ value: one.id, title: one.name, sign: <Sign channel={one} /> }));
  return (
    <>
      <SettingsHeader title={say("newcomers.title")} lead={say("newcomers.lead")} list={list} />
      <Body>
        <Wrong>{error}</Wrong>
        {kept !== undefined && (
          <>
            <Section title={say("newcomers.rules")} lead={say("newcomers.rulesHint")}>
              {value.rules.length === 0 && <Nothing>{say("newcomers.noRules")}</Nothing>}
              <ol className="grid gap-2.5">
                {value.rules.map((rule, at) => (
                  <li key={at} className="grid gap-2 rounded-card bg-sunken p-3">
                    <div className="flex items-end gap-1.5">
                      <Field
                        className="grow"
                        label={say("newcomers.rule", { number: at + 1 })}
                        maxLength={100}
                        value={rule.title}
                        error={save.fields[`rules[${at}].title`]}
                        onChange={(event) => put(at, { title: event.target.value })}
                      />
                      <IconButton label={say("newcomers.ruleUp", { number: at + 1 })} disabled={at === 0} className="disabled:opacity-40" onClick={() => move(at, -1)}>
                        <ArrowUp size={16} aria-hidden />
                      </IconButton>
                      <IconButton
                        label={say("newcomers.ruleDown", { number: at + 1 })}
                        disabled={at === value.rules.length - 1}
                        className="disabled:opacity-40"
                        onClick={() => move(at, 1)}
                      >
                        <ArrowDown size={16} aria-hidden />
                      </IconButton>
                      <IconButton label={say("newcomers.ruleRemove", { number: at + 1 })} onClick={() => setDraft({ ...draft, rules: value.rules.toSpliced(at, 1) })}>
                        <Trash2 size={16} aria-hidden />
                      </IconButton>
                    </div>
                    <Area label={say("newcomers.ruleText", { number: at + 1 })} rows={2} maxLength={500} value={rule.text} onChange={(event) => put(at, { text: event.target.value })} />
                  </li>
                ))}
              </ol>
              {value.rules.length < most.rules && (
                <Button className="justify-self-start" onClick={() => setDraft({ ...draft, rules: [...value.rules, create(RuleSchema, {})] })}>
                  <Plus size={16} aria-hidden /> {say("newcomers.addRule")}
                </Button>
              )}
              <Switch
                label={say("newcomers.must")}
                hint={say("newcomers.mustHint")}
                checked={value.mustAccept}
                onChange={(mustAccept) => setDraft({ ...draft, mustAccept })}
              />
              {kept.rulesVersion > 0n && <p className="text-12 text-faint">{say("newcomers.version", { number: String(kept.rulesVersion) })}</p>}
            </Section>
            <Section title={say("newcomers.welcome")} lead={say("newcomers.welcomeHint", { name: community.name })}>
              <Area label={say("newcomers.welcomeField")} maxLength={2000} value={value.welcome} onChange={(event) => setDraft({ ...draft, welcome: event.target.value })} />
            </Section>
            <Questions questions={value.questions} errors={save.fields} onChange={(questions) => setDraft({ ...draft, questions })} />
            <Section title={say("newcomers.channels")} lead={say("newcomers.channelsHint")}>
              <ul className="flex flex-wrap gap-1.5">
                {value.channelIds.map((id) => {
                  const channel = channels.find((one) => one.id === id);
                  if (channel === undefined) return null;
                  return (
                    <li key={id} className="inline-flex min-h-8 items-center gap-2 rounded-[9px] bg-sunken ps-2.5 pe-1 text-13 font-medium max-mid:min-h-11">
                      <Sign channel={channel} /> {channel.name}
                      <button
                        type="button"
                        aria-label={say("newcomers.channelRemove", { name: channel.name })}
                        onClick={() => setDraft({ ...draft, channelIds: value.channelIds.filter((one) => one !== id) })}
                        className="grid size-6 place-items-center rounded-small text-muted hover:bg-hover hover:text-text max-mid:size-9"
                      >
                        <X size={14} strokeWidth={2} aria-hidden />
                      </button>
                    </li>
                  );
                })}
              </ul>
              {value.channelIds.length < most.channels && picks.length > 0 && (
                <Picker
                  label={say("newcomers.addChannel")}
                  value=""
                  options={picks}
                  className="min-h-9! justify-self-start"
                  onPick={(id) => setDraft({ ...draft, channelIds: [...value.channelIds, id] })}
                />
              )}
            </Section>
          </>
        )}
      </Body>
      <SaveBar
        changed={Object.keys(draft).length > 0}
        what={draft.rules === undefined ? "" : say("newcomers.notice")}
        busy={save.busy}
        error={save.error}
        onUndo={() => setDraft({})}
        onSave={() => save.submit()}
      />
    </>
  );
}

/** The fields by their names in the contract. */
const names: Readonly<Record<keyof Draft, string>> = { rules: "rules", welcome: "welcome", channelIds: "channel_ids", mustAccept: "must_accept", questions: "questions" };
