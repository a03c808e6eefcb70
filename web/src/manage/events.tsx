import { timestampDate, timestampFromDate, timestampNow } from "@bufbuild/protobuf/wkt";
import type { Client as ServiceClient } from "@connectrpc/connect";
import { CalendarDays, MapPin, Plus } from "lucide-react";
import { type ReactNode, useCallback, useMemo, useRef, useState } from "react";

import { CalendarAnswer, type CalendarEvent } from "@creavio/client/community/v1/calendar_event";
import { CalendarService } from "@creavio/client/community/v1/calendar_service";
import type { Channel } from "@creavio/client/community/v1/channel";
import { Permission } from "@creavio/client/options/v1/permission";
import { go } from "@/route";
import { Nothing } from "@/settings/page";
import { Area } from "@/settings/parts";
import { Confirm } from "@/ui/confirm";
import { SettingsHeader } from "@/settings/frame";
import { useListing } from "@/settings/listing";
import { Select } from "@/settings/select";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { span } from "@/ui/dates";
import { Button, classes, Dialog, Field, Wrong } from "@/ui/parts";
import { Sign } from "@/ui/sign";

import { localOf, timeOf } from "./local-time";
import { useHeard, useManaging, useMay } from "./managing";
import type { PageProps } from "./page";
import { Body, useChange, useCounted, useNameOf } from "./parts";
import { useSay } from "./texts";

const told = ["calendarEventSaved", "channelCalendarEventSaved", "refetch"] as const;

/** What members meet for, from now on or before; who comes says so here. */
export function Events({ list }: PageProps): ReactNode {
  const say = useSay();
  const { client } = useActions().api;
  const actions = useActions();
  const { communityId } = useManaging();
  const plans = useMay(Permission.MANAGE_EVENTS);
  const service = useMemo(() => client.service(CalendarService), [client]);
  const [past, setPast] = useState(false);
  const [editing, setEditing] = useState<CalendarEvent | "new">();
  const listing = useListing(
    useCallback(
      async (pageToken: string) => {
        const now = timestampNow();
        const page = await service.listCalendarEvents({ communityId, pageToken, ...(past ? { beforeTime: now } : { afterTime: now }) });
        actions.know(page.calendarEvents.map((one) => one.creatorId));
        return { items: page.calendarEvents, next: page.nextPageToken };
      },
      [service, communityId, past, actions],
    ),
  );
  useHeard(told, listing.again);
  const put = (event: CalendarEvent): void => listing.change((all) => all.map((one) => (one.id === event.id ? event : one)));
  return (
    <>
      <SettingsHeader title={say("events.title")} list={list}>
        {plans && (
          <Button className="mid:min-h-8! mid:px-3!" onClick={() => setEditing("new")}>
            <Plus size={16} aria-hidden /> {say("events.new")}
          </Button>
        )}
      </SettingsHeader>
      <Body>
        <div className="flex gap-2" role="group" aria-label={say("events.when")}>
          {[false, true].map((one) => (
            <Button key={String(one)} aria-pressed={past === one} className={classes(past === one && "bg-accent-soft!")} onClick={() => setPast(one)}>
              {say(one ? "events.past" : "events.coming")}
            </Button>
          ))}
        </div>
        {listing.items?.length === 0 && <Nothing>{say(past ? "events.nonePast" : "events.none")}</Nothing>}
        <ul className="grid gap-3">
          {listing.items?.map((one) => <One key={one.id} event={one} service={service} onChange={put} onEdit={plans ? () => setEditing(one) : undefined} />)}
        </ul>
        <Wrong>{listing.error}</Wrong>
        {listing.more !== undefined && (
          <Button className="justify-self-start" onClick={listing.more}>
            {say("events.more")}
          </Button>
        )}
      </Body>
      <Dialog title={say(editing === "new" ? "events.new" : "events.edit")} open={editing !== undefined} onClose={() => setEditing(undefined)}>
        {editing !== undefined && (
          <EventForm
            event={editing === "new" ? undefined : editing}
            service={service}
            onDone={() => {
              setEditing(undefined);
              listing.again();
            }}
          />
        )}
      </Dialog>
    </>
  );
}

type CalendarCalls = ServiceClient<typeof CalendarService>;

interface OneProps {
  readonly event: CalendarEvent;
  readonly service: CalendarCalls;
  readonly onChange: (event: CalendarEvent) => void;
  readonly onEdit: (() => void) | undefined;
}

function One({ event, service, onChange, onEdit }: OneProps): ReactNode {
  const say = useSay();
  const count = useCounted();
  const nameOf = useNameOf();
  const { communityId } = useManaging();
  const answers = useMay(Permission.ADD_REACTIONS);
  const channel = useKnown((state) => state.channels[communityId]?.find((one) => one.id === event.channelId));
  const [calling, setCalling] = useState(false);
  const wanted = useRef(CalendarAnswer.UNSPECIFIED);
  const place = { communityId, calendarEventId: event.id };
  const answer = useChange(async () => onChange(await service.answerCalendarEvent({ ...place, answer: wanted.current })));
  const cancel = useChange(async () => {
    const over = await service.cancelCalendarEvent(place);
    onChange({ ...over, answer: event.answer });
    setCalling(false);
  });
  const begins = event.startTime === undefined ? new Date(0) : timestampDate(event.startTime);
  const ends = event.endTime === undefined ? begins : timestampDate(event.endTime);
  const off = event.cancelTime !== undefined;
  const over = ends.getTime() < Date.now();
  const choose = (value: CalendarAnswer): void => {
    wanted.current = event.answer === value ? CalendarAnswer.UNSPECIFIED : value;
    answer.submit();
  };
  return (
    <li className="grid gap-2.5 rounded-card bg-overlay p-4 shadow-1">
      <div className="flex gap-3.5">
        <time
          dateTime={begins.toISOString()}
          aria-hidden
          className="grid size-12 shrink-0 place-content-center rounded-[13px] bg-accent-soft text-center leading-none text-accent-text"
        >
          <span className="text-11">
            {begins.toLocaleDateString(document.documentElement.lang, { month: "short" })}
          </span>
          <b className="font-display text-20 leading-none">
            {begins.toLocaleDateString(document.documentElement.lang, { day: "numeric" })}
          </b>
        </time>
        <div className="min-w-0 grow">
          <h2 dir="auto" className={classes("font-display text-17 font-bold tracking-[-0.012em] [overflow-wrap:anywhere]", off && "line-through")}>
            {event.title}
          </h2>
          <p className="text-13 text-muted">{span(begins, ends)}</p>
          {event.timeZone !== Intl.DateTimeFormat().resolvedOptions().timeZone && (
            <p className="text-12 text-faint">
              {say("events.zone", { time: begins.toLocaleTimeString(document.documentElement.lang, { timeZone: event.timeZone, hour: "2-digit", minute: "2-digit" }), zone: event.timeZone })}
            </p>
          )}
        </div>
        {off && <span className="self-start rounded-small bg-danger-soft px-2 py-0.5 text-12 font-medium text-danger">{say("events.off")}</span>}
      </div>
      {event.description !== "" && (
        <p dir="auto" className="whitespace-pre-line [overflow-wrap:anywhere]">
          {event.description}
        </p>
      )}
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-13 text-muted">
        {channel !== undefined && (
          <button type="button" className="inline-flex min-h-6 items-center gap-1.5 text-accent-text hover:underline" onClick={() => go({ at: "channel", communityId, channelId: channel.id })}>
            <Sign channel={channel} /> {channel.name}
          </button>
        )}
        {event.location !== "" && (
          <span className="inline-flex items-center gap-1.5 [overflow-wrap:anywhere]">
            <MapPin size={14} aria-hidden /> {event.location}
          </span>
        )}
        {event.goingCount > 0 && <span>{count("events.going", event.goingCount)}</span>}
        {event.interestedCount > 0 && <span>{count("events.interested", event.interestedCount)}</span>}
        <span>{say("events.by", { name: nameOf(event.creatorId) })}</span>
      </p>
      {!off && !over && (
        <div className="flex flex-wrap gap-2">
          {answers && (
            <>
              <Button
                look={event.answer === CalendarAnswer.GOING ? "primary" : "plain"}
                aria-pressed={event.answer === CalendarAnswer.GOING}
                disabled={answer.busy}
                onClick={() => choose(CalendarAnswer.GOING)}
              >
                {say("events.go")}
              </Button>
              <Button
                look={event.answer === CalendarAnswer.INTERESTED ? "primary" : "plain"}
                aria-pressed={event.answer === CalendarAnswer.INTERESTED}
                disabled={answer.busy}
                onClick={() => choose(CalendarAnswer.INTERESTED)}
              >
                {say("events.perhaps")}
              </Button>
            </>
          )}
          {onEdit !== undefined && (
            <span className="ms-auto flex gap-2">
              <Button look="quiet" aria-label={say("events.editOne", { title: event.title })} onClick={onEdit}>
                {say("events.change")}
              </Button>
              <Button look="quiet" aria-label={say("events.cancelOne", { title: event.title })} onClick={() => setCalling(true)}>
                {say("events.cancel")}
              </Button>
            </span>
          )}
        </div>
      )}
      <Wrong>{answer.error}</Wrong>
      {calling && (
        <Confirm
          title={say("events.cancelSure", { title: event.title })}
          lead={say("events.cancelLead")}
          action={say("events.cancelDo")}
          busy={cancel.busy}
          error={cancel.error}
          onDo={() => cancel.submit()}
          onClose={() => setCalling(false)}
        />
      )}
    </li>
  );
}

interface EventFormProps {
  readonly event: CalendarEvent | undefined;
  readonly service: CalendarCalls;
  readonly onDone: () => void;
}

const noChannels: readonly Channel[] = [];

/** What an event is, when and where: of one there is, or of a new one. */
function EventForm({ event, service, onDone }: EventFormProps): ReactNode {
  const say = useSay();
  const { communityId } = useManaging();
  const channels = useKnown((state) => state.channels[communityId]) ?? noChannels;
  const timeZone = event?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const [draft, setDraft] = useState(() => {
    const soon = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 86_400_000);
    const begins = event?.startTime === undefined ? soon : timestampDate(event.startTime);
    const ends = event?.endTime === undefined ? new Date(begins.getTime() + 3_600_000) : timestampDate(event.endTime);
    return {
      title: event?.title ?? "",
      description: event?.description ?? "",
      location: event?.location ?? "",
      channelId: event?.channelId ?? "",
      from: localOf(begins, timeZone),
      to: localOf(ends, timeZone),
    };
  });
  const [requestId] = useState(() => crypto.randomUUID());
  // An event that begins later ends later.
  const begin = (from: string): void => {
    const span = timeOf(draft.to, timeZone).getTime() - timeOf(draft.from, timeZone).getTime();
    const to = from === "" ? draft.to : localOf(new Date(timeOf(from, timeZone).getTime() + Math.max(span, 0)), timeZone);
    setDraft({ ...draft, from, to });
  };
  const save = useChange(async () => {
    const { title, description, location, channelId } = draft;
    const times = { startTime: timestampFromDate(timeOf(draft.from, timeZone)), endTime: timestampFromDate(timeOf(draft.to, timeZone)) };
    const said = { communityId, title, description, location, ...times };
    if (event === undefined) await service.createCalendarEvent({ ...said, timeZone, channelId, requestId });
    else await service.updateCalendarEvent({ ...said, calendarEventId: event.id, etag: event.etag });
    onDone();
  });
  const wrongOrder = draft.from !== "" && draft.to !== "" && timeOf(draft.to, timeZone) <= timeOf(draft.from, timeZone);
  return (
    <form className="grid gap-4" onSubmit={save.submit}>
      <Field label={say("events.name")} required maxLength={100} value={draft.title} error={save.fields["title"]} onChange={(change) => setDraft({ ...draft, title: change.target.value })} />
      <div className="grid gap-3 mid:grid-cols-2">
        <Field label={say("events.from")} required type="datetime-local" value={draft.from} onChange={(change) => begin(change.target.value)} />
        <Field
          label={say("events.to")}
          required
          type="datetime-local"
          value={draft.to}
          error={wrongOrder ? say("events.endsFirst") : undefined}
          onChange={(change) => setDraft({ ...draft, to: change.target.value })}
        />
      </div>
      <p className="flex items-center gap-1.5 text-12 text-faint">
        <CalendarDays size={14} aria-hidden /> {say("events.inZone", { zone: timeZone })}
      </p>
      {event === undefined && channels.length > 0 && (
        <Select
          label={say("events.channel")}
          hint={say("events.channelHint")}
          value={draft.channelId}
          options={[{ value: "", title: say("events.elsewhere") }, ...channels.map((one) => ({ value: one.id, title: one.name }))]}
          onChange={(channelId) => setDraft({ ...draft, channelId })}
        />
      )}
      <Field label={say("events.location")} maxLength={200} value={draft.location} error={save.fields["location"]} onChange={(change) => setDraft({ ...draft, location: change.target.value })} />
      <Area label={say("events.description")} maxLength={2000} value={draft.description} onChange={(event) => setDraft({ ...draft, description: event.target.value })} />
      <Wrong>{save.error}</Wrong>
      <Button type="submit" look="primary" disabled={save.busy || wrongOrder}>
        {say(event === undefined ? "events.plan" : "events.keep")}
      </Button>
    </form>
  );
}
