import { ArrowLeft, Ban, CircleCheck, CornerLeftUp, Play } from "lucide-react";
import { type ReactNode, useId, useRef, useState } from "react";

import { OverrideService } from "@creavio/client/rbac/v1/override_service";
import type { ChannelOverride, Role } from "@creavio/client/rbac/v1/role";
import { RoleKind } from "@creavio/client/rbac/v1/role";
import { counted, figure } from "@/i18n/plural";
import { go, type Place } from "@/route";
import { SettingsHeader } from "@/settings/frame";
import { Nothing } from "@/settings/page";
import { Area } from "@/settings/parts";
import { useKnown } from "@/store/react";
import { Button, classes, IconButton, Wrong } from "@/ui/parts";
import { useNarrow } from "@/ui/narrow";

import { useKept, useManaging } from "../managing";
import { useChange, useRoleName } from "../parts";
import { casesOf, example, type Problem } from "./cases";
import { Cases } from "./results";
import { type Outcome, outcomesOf } from "./outcome";
import { useSay } from "./texts";

const kept = "creavio.policy.";
/** Of how many channels it is asked what they override, to say why. */
const explained = 40;

interface Ran {
  readonly outcomes: readonly Outcome[];
  /** The roles that were asked. */
  readonly roles: readonly Role[];
  readonly passedOver: boolean;
}

/** What people should be allowed, written down and held against the roles as they are. */
export function PolicyTests({ list }: { readonly list: Place }): ReactNode {
  const say = useSay();
  const managing = useManaging();
  const { communityId, actions } = managing;
  const narrow = useNarrow();
  const roles = useKept((state) => state.roles);
  const channels = useKnown((state) => state.channels[communityId]) ?? none;
  const called = useRoleName();
  const [text, setText] = useState(() => localStorage.getItem(kept + communityId) ?? "");
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [ran, setRan] = useState<Ran>();
  const box = useRef<HTMLDivElement>(null);
  const results = useRef<HTMLDivElement>(null);
  const names = { roles, channels, called };
  const back: Place = { at: "manage", communityId, page: "roles", item: "" };
  const write = (written: string): void => {
    setText(written);
    setProblems([]);
    if (written.trim() === "") localStorage.removeItem(kept + communityId);
    else localStorage.setItem(kept + communityId, written);
  };
  const goTo = (line: number): void => {
    const field = box.current?.querySelector("textarea");
    const before = text.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    field?.focus();
    field?.setSelectionRange(before, before + (text.split("\n")[line - 1]?.length ?? 0));
  };
  const run = useChange(async () => {
    const read = casesOf(text, names);
    setProblems(read.problems);
    setRan(undefined);
    if (read.problems.length > 0) return;
    const { failures } = await managing.policy.testPolicy({
      communityId,
      cases: read.cases.map((one) => ({ roleIds: [...one.roleIds], channelId: one.channelId, may: [...one.may], mayNot: [...one.mayNot] })),
    });
    const places = new Set(failures.map(({ caseIndex }) => read.cases[caseIndex]?.channelId ?? "").filter((id) => id !== ""));
    const overrides = await overridesOf([...places].slice(0, explained));
    const everyone = roles.find((one) => one.kind === RoleKind.MEMBER)?.id ?? "";
    setRan({ outcomes: outcomesOf(read.cases, failures, { roles, overrides, everyone }), roles, passedOver: read.passedOver });
    // Where it stands below, it is come to by itself.
    requestAnimationFrame(() => results.current?.scrollIntoView({ block: "nearest" }));
  });
  const overridesOf = async (ids: readonly string[]): Promise<Readonly<Record<string, readonly ChannelOverride[]>>> => {
    const service = actions.api.client.service(OverrideService);
    const found = await Promise.all(ids.map(async (channelId) => [channelId, (await service.listOverrides({ communityId, channelId })).overrides] as const));
    return Object.fromEntries(found);
  };
  return (
    <>
      <SettingsHeader title={say("tests.title")} lead={say("tests.lead")} list={narrow ? back : list}>
        <Button className="mid:min-h-8! mid:px-3! max-mid:hidden" onClick={() => go(back)}>
          <ArrowLeft size={16} aria-hidden className="rtl:-scale-x-100" /> {say("tests.toRoles")}
        </Button>
      </SettingsHeader>
      <div className="min-h-0 grow overflow-y-auto">
        <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 p-4 pb-24 mid:p-5 wide:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
          <form
            className="grid grid-cols-[minmax(0,1fr)] gap-3"
            onSubmit={run.submit}
            onKeyDown={(event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && run.submit(event)}
          >
            <div ref={box} className="[&_textarea]:font-mono [&_textarea]:text-13">
              <Area
                label={say("tests.field")}
                hint={say("tests.hint")}
                dir="ltr"
                rows={18}
                spellCheck={false}
                autoCapitalize="off"
                aria-keyshortcuts="Control+Enter"
                value={text}
                onChange={(event) => write(event.target.value)}
              />
            </div>
            {problems.length > 0 && <Problems problems={problems} onGo={goTo} />}
            <Wrong>{run.error}</Wrong>
            <div className="flex flex-wrap items-center gap-2">
              <Button type="submit" look="primary" disabled={run.busy || text.trim() === ""}>
                <Play size={16} aria-hidden className="rtl:-scale-x-100" /> {say("tests.run")}
              </Button>
              {text.trim() === "" && (
                <Button
                  onClick={() => {
                    write(
                      example(names, {
                        note: say("tests.example.note"),
                        newcomer: say("tests.example.newcomer"),
                        role: say("tests.example.role"),
                        owner: say("tests.example.owner"),
                      }),
                    );
                    box.current?.querySelector("textarea")?.focus();
                  }}
                >
                  {say("tests.example")}
                </Button>
              )}
              <span className="text-12 text-faint max-mid:hidden">{say("tests.keys")}</span>
            </div>
          </form>
          <div ref={results} className="scroll-mt-4">
            <Results ran={ran} now={roles} />
          </div>
        </div>
      </div>
    </>
  );
}

const none: readonly never[] = [];

/** What tells roles that were changed, or stand otherwise, from those before. */
function versionOf(roles: readonly Role[]): string {
  return roles.map((one) => `${one.id} ${one.etag}`).join();
}

/** What stands in the way, each with the way to its line. */
function Problems({ problems, onGo }: { readonly problems: readonly Problem[]; readonly onGo: (line: number) => void }): ReactNode {
  const say = useSay();
  return (
    <div role="alert" className="grid gap-1.5 rounded-card bg-danger-soft px-3.5 py-3 text-13">
      <b className="font-semibold">{say("tests.problems")}</b>
      <ul className="grid gap-1">
        {problems.map(({ line, key, blanks }, at) => (
          <li key={at} className="flex items-start gap-2">
            <span className="min-w-0 grow py-0.5 [overflow-wrap:anywhere]">{say("tests.line", { line: figure(line), problem: say(key, blanks) })}</span>
            <IconButton label={say("tests.toLine", { line: figure(line) })} className="size-6! max-mid:size-10!" onClick={() => onGo(line)}>
              <CornerLeftUp size={14} strokeWidth={2} aria-hidden className="rtl:-scale-x-100" />
            </IconButton>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Results({ ran, now }: { readonly ran: Ran | undefined; readonly now: readonly Role[] }): ReactNode {
  const say = useSay();
  const id = useId();
  const count = ran?.outcomes.reduce((all, { of }) => all + of.may.length + of.mayNot.length, 0) ?? 0;
  const failed = ran?.outcomes.reduce((all, { missed }) => all + missed.length, 0) ?? 0;
  return (
    <section aria-labelledby={id} className="grid grid-cols-[minmax(0,1fr)] content-start gap-3">
      <h2 id={id} className="text-13 font-medium">
        {say("tests.results")}
      </h2>
      {/* What comes later is told: the place for it is there before. */}
      <div role="status">
        {ran === undefined ? (
          <Nothing>{say("tests.nothing")}</Nothing>
        ) : (
          <div className={classes("flex items-center gap-3 rounded-card px-3.5 py-3.25", failed === 0 ? "bg-positive-soft" : "bg-danger-soft")}>
            <span className={classes("shrink-0", failed === 0 ? "text-positive" : "text-danger")}>
              {failed === 0 ? <CircleCheck size={18} strokeWidth={1.75} aria-hidden /> : <Ban size={18} strokeWidth={1.75} aria-hidden />}
            </span>
            <span>
              <b className="block text-15 font-semibold">
                {failed === 0
                  ? counted(say("tests.passed", { count: figure(count) }), count)
                  : counted(say("tests.failed", { failed: figure(failed), count: figure(count) }), failed)}
              </b>
              <small className="block text-12 text-muted">{say(versionOf(ran.roles) === versionOf(now) ? "tests.asNow" : "tests.since")}</small>
            </span>
          </div>
        )}
      </div>
      {ran?.passedOver === true && <p className="text-12 text-muted">{say("tests.passedOver")}</p>}
      {ran !== undefined && <Cases outcomes={ran.outcomes} roles={ran.roles} />}
    </section>
  );
}
