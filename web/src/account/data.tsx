import { type ReactNode, useRef, useState } from "react";
import { Download } from "lucide-react";

import type { Record } from "@creavio/client/person/v1/record";
import { useSay as useCore } from "@/i18n";
import { go, type Place } from "@/route";
import { SettingsHeader } from "@/settings/frame";
import { Section, SettingsBody } from "@/settings/page";
import { useKnown } from "@/store/react";
import { useSession } from "@/ui/context";
import { Button, Wrong } from "@/ui/parts";

import { useDoing } from "./doing";
import { openFile, type Sink } from "./file";
import { Prove } from "./proof";
import { type Services, useServices } from "./services";
import { useSay } from "./texts";

/** What is kept of oneself: taking it along, and having it gone. */
export function Data({ list }: { readonly list: Place }): ReactNode {
  const say = useSay();
  return (
    <>
      <SettingsHeader title={say("data.title")} list={list} />
      <SettingsBody>
        <Export />
        <Deactivate />
        <Delete />
      </SettingsBody>
    </>
  );
}

function Export(): ReactNode {
  const say = useSay();
  const core = useCore();
  const services = useServices();
  const handle = useKnown((state) => state.me?.handle ?? "");
  /** How many records there are so far; undefined before and after. */
  const [count, setCount] = useState<number>();
  const [done, setDone] = useState<number>();
  const stop = useRef<AbortController>(undefined);
  const saved = useDoing(async () => {
    const file = await openFile(`creavio-${handle}.json`, "application/json");
    if (file === undefined) return;
    stop.current = new AbortController();
    setDone(undefined);
    setCount(0);
    try {
      setDone(await exported(services, file, setCount, stop.current.signal));
    } finally {
      setCount(undefined);
    }
  });
  return (
    <Section title={say("export.title")} lead={say("export.lead")}>
      <div className="flex flex-wrap items-center gap-3">
        <Button look="primary" disabled={saved.busy} onClick={() => saved.submit()}>
          <Download size={16} aria-hidden /> {say("export.start")}
        </Button>
        {count !== undefined && <Button onClick={() => stop.current?.abort()}>{core("common.cancel")}</Button>}
        <p role="status" className="text-13 text-muted tabular-nums">
          {count !== undefined ? say("export.so", { count }) : done !== undefined ? say("export.done", { count: done }) : ""}
        </p>
      </div>
      <Wrong>{saved.error}</Wrong>
    </Section>
  );
}

/** Writes everything that is kept of the caller to a file; how many records it is, or undefined when it was called off. */
export async function exported({ exports }: Pick<Services, "exports">, file: Sink, tell: (count: number) => void, signal: AbortSignal): Promise<number | undefined> {
  let count = 0;
  let pageToken = "";
  try {
    await file.write("[");
    do {
      const page = await exports.exportMe({ pageSize: 500, pageToken });
      if (signal.aborted) {
        await file.abort();
        return undefined;
      }
      const lines = page.records.map(lineOf);
      if (lines.length > 0) await file.write(`${count === 0 ? "\n" : ",\n"}${lines.join(",\n")}`);
      count += lines.length;
      tell(count);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    await file.write("\n]\n");
    await file.close();
    return count;
  } catch (thrown) {
    await file.abort();
    throw thrown;
  }
}

function lineOf({ service, kind, content }: Record): string {
  return JSON.stringify({ service, kind, content });
}

function useLeaving(): () => void {
  const session = useSession();
  return () => {
    session.over();
    go({ at: "sign-in" }, "replace");
  };
}

function Deactivate(): ReactNode {
  const say = useSay();
  const { accounts } = useServices();
  const leave = useLeaving();
  const [open, setOpen] = useState(false);
  return (
    <Section title={say("deactivate.title")} lead={say("deactivate.lead")} action={<Button onClick={() => setOpen(true)}>{say("deactivate.do")}</Button>}>
      {open && (
        <Prove
          title={say("deactivate.sure")}
          lead={
            <ul className="grid list-disc gap-1 ps-4.5">
              <li>{say("deactivate.point1")}</li>
              <li>{say("deactivate.point2")}</li>
              <li>{say("deactivate.point3")}</li>
            </ul>
          }
          submit={say("deactivate.do")}
          destroys
          onClose={() => setOpen(false)}
          act={async (proof) => {
            await accounts.deactivateAccount({ proof });
            leave();
          }}
        />
      )}
    </Section>
  );
}

function Delete(): ReactNode {
  const say = useSay();
  const { accounts } = useServices();
  const leave = useLeaving();
  const me = useKnown((state) => state.me?.id);
  const communities = useKnown((state) => state.communities);
  const owned = Object.values(communities).filter((one) => one.ownerId === me);
  const [open, setOpen] = useState(false);
  return (
    <Section
      title={say("delete.title")}
      lead={say("delete.lead")}
      action={
        <Button look="danger" onClick={() => setOpen(true)}>
          {say("delete.do")}
        </Button>
      }
    >
      {owned.length > 0 && (
        <p className="rounded-card bg-warning-soft px-4 py-3 text-13">
          {say("delete.owned")} <b className="font-semibold">{owned.map((one) => one.name).join(", ")}</b>
        </p>
      )}
      {open && (
        <Prove
          title={say("delete.sure")}
          lead={
            <ul className="grid list-disc gap-1 ps-4.5">
              <li>{say("delete.point1")}</li>
              <li>{say("delete.point2")}</li>
              <li>{say("delete.point3")}</li>
              <li>{say("delete.point4")}</li>
            </ul>
          }
          submit={say("delete.do")}
          destroys
          known={{ OWNS_COMMUNITIES: "delete.owns", LAST_ADMINISTRATOR: "delete.last" }}
          onClose={() => setOpen(false)}
          act={async (proof) => {
            await accounts.deleteAccount({ proof });
            leave();
          }}
        />
      )}
    </Section>
  );
}
