import { Activity, lazy, type ReactNode, startTransition, Suspense, useEffect, useState } from "react";

import { CatchUp } from "@/rooms/catch-up";
import { ChannelPage } from "@/rooms/channel-page";
import { DirectPage } from "@/rooms/direct-page";
import { Keys } from "@/rooms/keys";
import { ThreadPanel } from "@/rooms/thread-panel";
import { lastVisited } from "@/rooms/visits";
import { go, type Place } from "@/route";
import { useKnown } from "@/store/react";

import { First } from "./first";
import { ChannelList, DirectList } from "./lists";
import { useNarrow } from "./narrow";
import { classes, Mark } from "./parts";
import { People } from "./people";
import { Rail } from "./rail";
import { Tabs } from "./tabs";

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

/** Milliseconds until what is hidden is drawn, so that it is there when it is wanted. */
const later = 2000;

/** Everything inside: the places, the channels of one, what is said there, and what is set. */
export function Shell({ place }: { readonly place: Place }): ReactNode {
  return (
    <>
      <Keys place={place} />
      {place.at === "settings" || place.at === "manage" ? (
        <Suspense fallback={<div className="h-dvh bg-ground" aria-busy />}>
          {place.at === "settings" ? <Account {...place} /> : <Manage key={place.communityId} {...place} />}
        </Suspense>
      ) : (
        <Rooms place={place} />
      )}
    </>
  );
}

function Rooms({ place }: { readonly place: Place }): ReactNode {
  const open = place.at === "channel" ? place.channelId !== "" : place.at === "direct" ? place.conversationId !== "" : true;
  const listed = place.at === "channel" || place.at === "direct";
  const [people, setPeople] = useState(false);
  const narrow = useNarrow();
  // A phone shows the list or the page: whichever it is, is what the window is about.
  const alone = narrow && listed && !open;
  const channels = useKnown((state) => (place.at === "channel" ? state.channels[place.communityId] : undefined));
  useEffect(() => {
    // Where list and page stand side by side, the page is never empty.
    if (narrow || place.at !== "channel" || place.channelId !== "" || channels === undefined) return;
    const channelId = lastVisited(place.communityId, channels.map((one) => one.id));
    if (channelId !== undefined) go({ at: "channel", communityId: place.communityId, channelId }, "replace");
  }, [narrow, place, channels]);
  const threadId = place.at === "channel" ? place.threadId : undefined;
  const beside = place.at === "channel" && place.channelId !== "" && (people || threadId !== undefined);
  const Beside = alone ? "main" : "div";
  // A phone that shows a page draws no lists, and the rail after the page: it stays as it was left.
  const besides = !(narrow && listed && open);
  const [drawn, setDrawn] = useState(besides);
  if (besides && !drawn) setDrawn(true);
  useEffect(() => {
    const timer = setTimeout(() => startTransition(() => setDrawn(true)), later);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="flex h-dvh overflow-hidden max-mid:flex-col">
      {drawn && (
        <Activity mode={besides ? "visible" : "hidden"}>
          <Rail place={place} />
        </Activity>
      )}
      <div
        className={classes(
          "grid min-h-0 min-w-0 grow grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)] mid:py-2 mid:pe-2",
          listed && !beside && "mid:grid-cols-[14.5rem_minmax(0,1fr)] wide:grid-cols-[16rem_minmax(0,1fr)]",
          beside && "mid:grid-cols-[minmax(0,1fr)_auto] mid:gap-x-2 wide:grid-cols-[16rem_minmax(0,1fr)_auto]",
        )}
      >
        {listed && besides && (
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
          {place.at === "catch-up" && <CatchUp />}
          {listed && !open && <Waiting />}
          {(place.at === "home" || place.at === "invite") && <First code={place.at === "invite" ? place.code : ""} />}
        </main>
        )}
        {beside &&
          (threadId === undefined ? (
            <People communityId={place.communityId} onClose={() => setPeople(false)} />
          ) : (
            <ThreadPanel key={threadId} communityId={place.communityId} channelId={place.channelId} threadId={threadId} />
          ))}
      </div>
      {narrow && (!listed || !open) && <Tabs place={place} />}
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
