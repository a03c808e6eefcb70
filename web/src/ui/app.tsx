"use client";

import { RotateCw } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";

import { ownApi } from "@/api/client";
import { speakAsBefore, useSay } from "@/i18n";
import { go, placeOf, usePath } from "@/route";
import { Actions } from "@/store/actions";
import { lasting } from "@/store/lasting";
import { useKnown } from "@/store/react";
import { change } from "@/store/store";
import { connect } from "@/stream/connect";

import { DoingProvider } from "./context";
import { Door, isErrand } from "./door";
import { Button, Mark } from "./parts";
import { themeAsBefore } from "./theme";
import { wrong } from "./wrong";

// Whoever stands at the door loads what the door needs.
const Shell = lazy(async () => ({ default: (await import("./shell")).Shell }));

/** The whole app, for whoever sits before it. */
export function App(): ReactNode {
  const [actions, setActions] = useState<Actions>();
  const [failed, setFailed] = useState<string>();
  useEffect(() => {
    // Passkeys and cookies belong to a name, which an address of the machine is not.
    if (location.hostname === "127.0.0.1") {
      location.hostname = "localhost";
      return;
    }
    themeAsBefore();
    const begun = new Actions(ownApi());
    void speakAsBefore()
      .then(() => {
        setActions(begun);
        return begun.start();
      })
      .catch((thrown: unknown) => setFailed(wrong(thrown)));
  }, []);
  if (failed !== undefined) return <Failed why={failed} />;
  if (actions === undefined) return <Opening />;
  return (
    <DoingProvider value={actions}>
      <Inside actions={actions} />
    </DoingProvider>
  );
}

function Inside({ actions }: { readonly actions: Actions }): ReactNode {
  const phase = useKnown((state) => state.phase);
  const place = placeOf(usePath());
  const within = phase === "inside";
  useEffect(() => {
    if (!within) return;
    let opened = false;
    const refetch = (): void => void lasting(() => actions.refetch());
    return connect(actions.api.client, (told) => {
      if (told.kind === "event") {
        if (told.payload.case === "refetch") refetch();
        else actions.heard(told.payload);
      } else if (told.kind === "over") {
        actions.over();
      } else if (told.kind === "lost") {
        change((state) => ({ ...state, lostSince: state.lostSince ?? Date.now() }));
      } else {
        // What happened between the lists and the stream is in neither: look again, once.
        if (!opened) refetch();
        opened = true;
        change((state) => ({ ...state, lostSince: undefined }));
      }
    });
  }, [actions, within]);
  useEffect(() => {
    if (within && ["sign-in", "sign-up", "forgot-password"].includes(place.at)) go({ at: "home" }, "replace");
  }, [within, place.at]);
  if (phase === "starting") return <Opening />;
  // Links in mails are for whoever has them, signed in or not.
  if (place.at === "verify-email" || place.at === "reset-password") return <Door as={place.at} />;
  if (phase === "outside") return <Door as={isErrand(place.at) ? place.at : place.at === "invite" ? "sign-up" : "sign-in"} />;
  return (
    <Suspense fallback={<Opening />}>
      <Shell place={place} />
    </Suspense>
  );
}

function Opening(): ReactNode {
  return (
    <main className="grid min-h-dvh place-items-center" aria-busy>
      <Mark size={56} />
    </main>
  );
}

function Failed({ why }: { readonly why: string }): ReactNode {
  const say = useSay();
  return (
    <main className="grid min-h-dvh content-center justify-items-center gap-3 p-6 text-center">
      <Mark size={56} className="opacity-60" />
      <h1 className="font-display text-26 font-bold">{say("error.title")}</h1>
      <p className="max-w-[26rem] text-muted">{why}</p>
      <Button onClick={() => location.reload()}>
        <RotateCw size={16} aria-hidden /> {say("error.again")}
      </Button>
    </main>
  );
}
