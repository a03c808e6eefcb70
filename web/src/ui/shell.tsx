import { ArrowLeft, UserRound, Users } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";

import { useSay } from "@/i18n";
import { go, type Place } from "@/route";
import { nameOfConversation } from "@/store/names";
import { useKnown } from "@/store/react";

import { First } from "./first";
import { ChannelList, DirectList } from "./lists";
import { useNarrow } from "./narrow";
import { classes, IconButton, Mark } from "./parts";
import { People } from "./people";
import { Rail } from "./rail";
import { RoomPage } from "./room";
import { Sign } from "./sign";

// Settings are loaded when they are looked at, with what they say.
const Account = lazy(async () => {
  const part = await import("@/account");
  await part.ready();
  return { default: part.Account };
});
const Manage = lazy(async () => {
  const part = await import("@/manage");
  await part.ready();
  return { default: part.Manage };
});

/** Everything inside: the places, the channels of one, what is said there, and what is set. */
export function Shell({ place }: { readonly place: Place }): ReactNode {
  if (place.at === "settings" || place.at === "manage") {
    return (
      <Suspense fallback={<div className="h-dvh bg-ground" aria-busy />}>
        {place.at === "settings" ? <Account {...place} /> : <Manage key={place.communityId} {...place} />}
      </Suspense>
    );
  }
  return <Rooms place={place} />;
}

function Rooms({ place }: { readonly place: Place }): ReactNode {
  const open = place.at === "channel" ? place.channelId !== "" : place.at === "direct" ? place.conversationId !== "" : true;
  const listed = place.at === "channel" || place.at === "direct";
  // A phone shows the list or the page: whichever it is, is what the window is about.
  const alone = useNarrow() && listed && !open;
  const [people, setPeople] = useState(false);
  const beside = people && place.at === "channel" && place.channelId !== "";
  const Beside = alone ? "main" : "div";
  return (
    <div className="flex h-dvh overflow-hidden max-mid:flex-col">
      <Rail place={place} hidden={open && listed} />
      <div
        className={classes(
          "grid min-h-0 min-w-0 grow grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)] mid:py-2 mid:pe-2",
          listed && !beside && "mid:grid-cols-[14.5rem_minmax(0,1fr)] wide:grid-cols-[16rem_minmax(0,1fr)]",
          beside && "mid:grid-cols-[minmax(0,1fr)_auto] mid:gap-x-2 wide:grid-cols-[16rem_minmax(0,1fr)_auto]",
        )}
      >
        {listed && (
          <Beside className={classes("grid min-h-0 grid-cols-[minmax(0,1fr)]", beside && "mid:max-wide:hidden wide:-me-2")}>
            {place.at === "channel" && <ChannelList communityId={place.communityId} current={place.channelId} />}
            {place.at === "direct" && <DirectList current={place.conversationId} />}
          </Beside>
        )}
        {alone || (
        <main
          className={classes(
            "flex min-h-0 min-w-0 flex-col bg-raised shadow-1 mid:rounded-card",
            listed && (beside ? "wide:rounded-s-none" : "mid:rounded-s-none"),
          )}
        >
          {place.at === "channel" && place.channelId !== "" && <ChannelPage {...place} people={people} onPeople={() => setPeople(!people)} />}
          {place.at === "direct" && place.conversationId !== "" && <DirectPage conversationId={place.conversationId} />}
          {(!listed || !open) && (listed ? <Waiting /> : <First code={place.at === "invite" ? place.code : ""} />)}
        </main>
        )}
        {beside && <People communityId={place.communityId} onClose={() => setPeople(false)} />}
      </div>
    </div>
  );
}

function Waiting(): ReactNode {
  return (
    <div className="grid grow place-items-center">
      <Mark size={72} className="opacity-50" />
    </div>
  );
}

interface ChannelPageProps {
  readonly communityId: string;
  readonly channelId: string;
  readonly people: boolean;
  readonly onPeople: () => void;
}

function ChannelPage({ communityId, channelId, people, onPeople }: ChannelPageProps): ReactNode {
  const say = useSay();
  const channel = useKnown((state) => state.channels[communityId]?.find((one) => one.id === channelId));
  const known = useKnown((state) => communityId in state.channels);
  if (channel === undefined) {
    return known ? <p className="p-6 text-muted">{say("channel.gone")}</p> : null;
  }
  return (
    <RoomPage
      key={channelId}
      roomId={channelId}
      communityId={communityId}
      name={`#${channel.name}`}
      topic={channel.topic}
      start={say("channel.start", { name: channel.name })}
      sign={<Sign channel={channel} />}
      back={<Back to={{ at: "channel", communityId, channelId: "" }} />}
      title={channel.name}
      more={
        <IconButton label={say("people.title")} aria-pressed={people} onClick={onPeople}>
          <Users size={18} strokeWidth={1.75} aria-hidden />
        </IconButton>
      }
    />
  );
}

function DirectPage({ conversationId }: { readonly conversationId: string }): ReactNode {
  const say = useSay();
  const name = useKnown((state) => nameOfConversation(state, conversationId));
  const there = useKnown((state) => conversationId in state.conversations);
  if (!there) return null;
  return (
    <RoomPage
      key={conversationId}
      roomId={conversationId}
      communityId=""
      name={name}
      topic=""
      start={say("channel.startDirect", { name })}
      sign={<UserRound size={18} strokeWidth={1.75} aria-hidden />}
      back={<Back to={{ at: "direct", conversationId: "" }} />}
      title={name}
    />
  );
}

function Back({ to }: { readonly to: Place }): ReactNode {
  const say = useSay();
  return (
    <IconButton label={say("common.back")} className="mid:hidden" onClick={() => go(to)}>
      <ArrowLeft size={20} strokeWidth={1.75} aria-hidden className="rtl:-scale-x-100" />
    </IconButton>
  );
}

