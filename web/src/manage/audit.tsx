import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type ReactNode, useCallback, useMemo, useState } from "react";

import { AuditAction, type AuditEntry } from "@creavio/client/community/v1/audit_entry";
import { AuditService } from "@creavio/client/community/v1/audit_service";
import { SettingsHeader } from "@/settings/frame";
import { useListing } from "@/settings/listing";
import { Select } from "@/settings/select";
import { useActions } from "@/ui/context";
import { whole } from "@/ui/dates";
import { Avatar, Field } from "@/ui/parts";

import { type Change, changesOf, peopleIn, permissionsIn, sentenceOf } from "./audit-words";
import { useManaging } from "./managing";
import type { PageProps } from "./page";
import { wordsOf } from "./permissions";
import { Body, Line, Listed, useMembers, useNameOf, usePeoplePicks } from "./parts";
import { useSay } from "./texts";

const actionsThere = Object.values(AuditAction).filter((one): one is AuditAction => typeof one === "number" && one !== 0);

/** What was done here by the power of a role, and by whom. */
export function Audit({ list }: PageProps): ReactNode {
  const say = useSay();
  const actions = useActions();
  const { communityId } = useManaging();
  const service = useMemo(() => actions.api.client.service(AuditService), [actions]);
  const [actorId, setActor] = useState("");
  const [action, setAction] = useState<AuditAction>(AuditAction.UNSPECIFIED);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const { ids } = useMembers();
  const people = usePeoplePicks(ids);
  const listing = useListing(
    useCallback(
      async (pageToken: string) => {
        const page = await service.listAuditLog({
          communityId,
          actorId,
          action,
          pageToken,
          ...(from === "" ? {} : { afterTime: timestampFromDate(dayOf(from)) }),
          ...(to === "" ? {} : { beforeTime: timestampFromDate(dayOf(to, 1)) }),
        });
        actions.know(page.entries.flatMap(peopleIn));
        return { items: page.entries, next: page.nextPageToken };
      },
      [service, communityId, actorId, action, from, to, actions],
    ),
  );
  const kinds = actionsThere.map((one) => ({ value: one, title: say(kindOf(one)) })).sort((a, b) => a.title.localeCompare(b.title));
  return (
    <>
      <SettingsHeader title={say("audit.title")} lead={say("audit.lead")} list={list} />
      <Body wide>
        <div className="grid grid-cols-2 gap-3 wide:grid-cols-4">
          <Select
            label={say("audit.who")}
            value={actorId}
            options={[{ value: "", title: say("audit.anybody") }, ...people.map((one) => ({ value: one.value, title: one.title }))]}
            onChange={setActor}
          />
          <Select
            label={say("audit.what")}
            value={action}
            options={[{ value: AuditAction.UNSPECIFIED, title: say("audit.anything") }, ...kinds]}
            onChange={setAction}
          />
          <Field label={say("audit.from")} type="date" value={from} onChange={(event) => setFrom(event.target.value)} />
          <Field label={say("audit.to")} type="date" value={to} onChange={(event) => setTo(event.target.value)} />
        </div>
        <Listed of={listing} empty={say("audit.none")}>
          {(one) => <Entry key={one.id} entry={one} />}
        </Listed>
      </Body>
    </>
  );
}

function Entry({ entry }: { readonly entry: AuditEntry }): ReactNode {
  const say = useSay();
  const nameOf = useNameOf();
  const actor = nameOf(entry.actorId);
  const { key, blanks } = sentenceOf(entry, nameOf);
  const time = entry.createTime === undefined ? "" : whole(timestampDate(entry.createTime));
  const changes = changesOf(entry).map((one) => changed(one, say, nameOf));
  return (
    <Line
      sign={<Avatar id={entry.actorId} size="s" />}
      title={<span className="whitespace-normal">{say(key, { ...blanks, actor })}</span>}
      hint={
        <>
          {time}
          {entry.reason !== "" && ` · ${say("audit.reason", { reason: entry.reason })}`}
          {changes.map((one) => (
            <span key={one} dir="auto" className="block">
              {one}
            </span>
          ))}
        </>
      }
    />
  );
}

function changed(change: Change, say: ReturnType<typeof useSay>, nameOf: (id: string) => string): string {
  const { field } = change;
  const shown = (value: string): string => {
    if (field === "audit.field.visibility") return value === "2" ? say("overview.public") : say("overview.private");
    if (field === "audit.field.person") return value === "" ? "" : nameOf(value);
    if (permitting.has(field)) return permissionsIn(value).map((one) => say(wordsOf(one).title)).join(say("audit.comma"));
    const time = times.has(field) ? new Date(value) : undefined;
    return time === undefined || Number.isNaN(time.getTime()) ? value : whole(time);
  };
  const [before, after] = [shown(change.before), shown(change.after)];
  return say(after === "" ? "audit.emptied" : before === "" ? "audit.set" : "audit.changed", { field: say(field), before, after });
}

const permitting: ReadonlySet<string> = new Set(["audit.field.allow", "audit.field.deny"]);
const times: ReadonlySet<string> = new Set(["audit.field.start", "audit.field.end", "audit.field.until"]);

function kindOf(action: AuditAction): Parameters<ReturnType<typeof useSay>>[0] {
  return `audit.kind.${action as Exclude<AuditAction, AuditAction.UNSPECIFIED>}`;
}

/** The beginning of a day, or of one that many days later, where one is. */
function dayOf(date: string, later = 0): Date {
  const [year = 0, month = 1, day = 1] = date.split("-").map(Number);
  return new Date(year, month - 1, day + later);
}
