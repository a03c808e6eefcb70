import { Code } from "@connectrpc/connect";
import { CallError } from "@creavio/client";
import { type ReactNode, useEffect, useState } from "react";

import { follow } from "@/account/kept";
import { api } from "@/api/client";
import { type Place, placeOf } from "@/route";
import { Actions, type Looked } from "@/store/actions";
import { connect } from "@/stream/connect";

import { DoingProvider, useSession } from "./context";
import { makeAhead } from "./dates";
import { Shell } from "./shell";

export { ready } from "@/rooms/texts";

/** Milliseconds that the lists wait for the stream. */
const patience = 500;

export interface InsideProps {
  readonly place: Place;
  readonly onFailed: (thrown: unknown) => void;
}

/** What the address leads to. */
function looked(): Looked {
  const place = placeOf(location.pathname);
  // Where it leads to a message, what stands around that is shown, and not the latest.
  const latest = location.hash === "";
  if (place.at === "direct") return { communityId: "", roomId: latest ? place.conversationId : "" };
  if (place.at !== "channel") return { communityId: "", roomId: "" };
  return { communityId: place.communityId, roomId: latest ? place.channelId : "" };
}

/** Everything for who is signed in; what is known of it comes by lists, and then by the stream. */
export function Inside({ place, onFailed }: InsideProps): ReactNode {
  const session = useSession();
  const [actions] = useState(() => new Actions(api(session.api.client)));
  useEffect(() => {
    actions.current = true;
    const failed = (thrown: unknown): void => {
      // What was on its way when somebody left is nobody's to be told of.
      if (!actions.current) return;
      // A session that is over is heard of by the stream, too.
      if (thrown instanceof CallError && thrown.code === Code.Unauthenticated) session.over();
      else onFailed(thrown);
    };
    const refetch = (): void => void actions.enterAll(looked()).catch(failed);
    // What happens between the lists and the stream is in neither: they are asked for once it
    // is there. Where it is long in coming there is something to be seen first, and they are
    // asked for again.
    let opened = false;
    const impatient = setTimeout(refetch, patience);
    const disconnect = connect(actions.api.client, (told) => {
      if (told.kind === "event") {
        if (told.payload.case === "refetch") refetch();
        else actions.heard(told.payload);
      } else if (told.kind === "over") {
        session.over();
      } else if (told.kind === "lost") {
        actions.change((state) => ({ ...state, lostSince: state.lostSince ?? Date.now() }));
      } else {
        clearTimeout(impatient);
        if (!opened) refetch();
        opened = true;
        actions.change((state) => ({ ...state, lostSince: undefined }));
      }
    });
    return () => {
      actions.current = false;
      clearTimeout(impatient);
      disconnect();
    };
  }, [actions, session, onFailed]);
  useEffect(makeAhead, []);
  // What is chosen on one device is so on all of somebody's.
  useEffect(() => follow(actions.api), [actions]);
  return (
    <DoingProvider value={actions}>
      <Shell place={place} />
    </DoingProvider>
  );
}
