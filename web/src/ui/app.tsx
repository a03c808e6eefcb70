"use client";

import { RotateCw } from "lucide-react";
import { type ComponentType, lazy, type ReactNode, startTransition, Suspense, useCallback, useEffect, useState } from "react";

import { doorApi, ownClient } from "@/api/door";
import { Door, isErrand } from "@/door/door";
import { speakAsBefore, useSay } from "@/i18n";
import { forgetAddress, goOn, keepAddress, placeOf, usePath } from "@/route";
import { useKnown } from "@/store/react";
import { Session } from "@/store/session";

import { SessionProvider } from "./context";
import type { InsideProps } from "./inside";
import { Button, Mark } from "./parts";
import { themeAsBefore } from "./theme";
import { wrong } from "./wrong";

// Whoever stands at the door loads what the door needs.
async function loadInside(): Promise<ComponentType<InsideProps>> {
  const part = await import("./inside");
  await part.ready();
  return part.Inside;
}

/** Whether somebody was signed in when this browser showed the app last. */
const within = "creavio.within";

const Rest = lazy(async () => {
  const part = await import("@/door/rest");
  await part.ready();
  return { default: part.Rest };
});

/** The whole app, for whoever sits before it. */
export function App(): ReactNode {
  const [session, setSession] = useState<Session>();
  const [failed, setFailed] = useState<string>();
  const fail = useCallback((thrown: unknown) => setFailed(wrong(thrown)), []);
  useEffect(() => {
    // Passkeys and cookies belong to a name, which an address of the machine is not.
    if (location.hostname === "127.0.0.1") {
      location.hostname = "localhost";
      return;
    }
    themeAsBefore();
    // Most who were signed in still are: what they see is loaded while that is asked.
    if (localStorage.getItem(within) !== null) void loadInside().catch(() => {});
    const begun = new Session(doorApi(ownClient()));
    void speakAsBefore()
      .then(() => {
        setSession(begun);
        return begun.start();
      })
      .catch(fail);
  }, [fail]);
  if (failed !== undefined) return <Failed why={failed} />;
  if (session === undefined) return <Opening />;
  return (
    <SessionProvider value={session}>
      <Within onFailed={fail} />
    </SessionProvider>
  );
}

function Within({ onFailed }: { readonly onFailed: (thrown: unknown) => void }): ReactNode {
  const phase = useKnown((state) => state.phase);
  const place = placeOf(usePath());
  const signedIn = phase === "inside";
  const Inside = useInside(signedIn, onFailed);
  useEffect(() => {
    if (phase === "outside" && (place.at === "authorize" || place.at === "invite")) keepAddress();
    if (!signedIn || place.at === "provider") return;
    if (["sign-in", "sign-up", "forgot-password"].includes(place.at)) goOn();
    else forgetAddress();
  }, [phase, signedIn, place.at]);
  useEffect(() => {
    if (phase === "inside") localStorage.setItem(within, "");
    else if (phase === "outside") localStorage.removeItem(within);
  }, [phase]);
  if (phase === "starting") return <Opening />;
  if (place.at === "provider" || (place.at === "authorize" && signedIn)) {
    return (
      <Suspense fallback={<Opening />}>
        <Rest at={place.at} />
      </Suspense>
    );
  }
  // Links in mails are for whoever has them, signed in or not.
  if (place.at === "verify-email" || place.at === "reset-password") return <Door as={place.at} />;
  if (phase === "outside") return <Door as={isErrand(place.at) ? place.at : place.at === "invite" ? "sign-up" : "sign-in"} />;
  return Inside === undefined ? <Opening /> : <Inside place={place} onFailed={onFailed} />;
}

/**
 * What is shown inside, once it is wanted and loaded. Nothing is suspended for it: what stands
 * in its place meanwhile would stay for 300 ms at least.
 */
function useInside(wanted: boolean, onFailed: (thrown: unknown) => void): ComponentType<InsideProps> | undefined {
  const [part, setPart] = useState<ComponentType<InsideProps>>();
  useEffect(() => {
    if (wanted) void loadInside().then((loaded) => startTransition(() => setPart(() => loaded)), onFailed);
  }, [wanted, onFailed]);
  return part;
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
