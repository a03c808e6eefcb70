import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Building2 } from "lucide-react";
import { type ReactNode, useState } from "react";

import type { Provider } from "@creavio/client/auth/v1/identity_service";
import { leaveFor } from "@/door/errand";
import { useAsked } from "@/settings/asked";
import { Answer, Badge, Line, Lines, Section } from "@/settings/page";
import { Button } from "@/ui/parts";

import { Prove } from "./proof";
import { useServices } from "./services";
import { useSay } from "./texts";
import { date } from "./times";

/** Accounts elsewhere that one signs in with. Where the instance names none, nothing is shown. */
export function Identities(): ReactNode {
  const say = useSay();
  const { identities } = useServices();
  const asked = useAsked(async () => {
    const [there, linked] = await Promise.all([identities.listProviders({}), identities.listIdentities({})]);
    return { providers: there.providers, linked: new Map(linked.identities.map((one) => [one.providerId, one])) };
  });
  const [open, setOpen] = useState<{ readonly what: "link" | "unlink"; readonly provider: Provider }>();
  const close = (): void => setOpen(undefined);
  if (asked.value?.providers.length === 0 && asked.value.linked.size === 0) return null;
  return (
    <Section title={say("identities.title")} lead={say("identities.lead")}>
      <Answer of={asked}>
        {({ providers, linked }) => (
          <Lines label={say("identities.title")}>
            {providers.map((one) => {
              const identity = linked.get(one.id);
              return (
                <Line
                  key={one.id}
                  icon={<Building2 size={20} strokeWidth={1.6} aria-hidden />}
                  title={
                    <>
                      <bdi>{one.name}</bdi> {identity !== undefined && <Badge look="good">{say("identities.linked")}</Badge>}
                    </>
                  }
                  about={identity?.createTime !== undefined && say("identities.since", { date: date(timestampDate(identity.createTime)) })}
                >
                  {identity === undefined ? (
                    <Button aria-label={say("identities.linkOne", { name: one.name })} onClick={() => setOpen({ what: "link", provider: one })}>
                      {say("identities.link")}
                    </Button>
                  ) : (
                    <Button aria-label={say("identities.unlinkOne", { name: one.name })} onClick={() => setOpen({ what: "unlink", provider: one })}>
                      {say("identities.unlink")}
                    </Button>
                  )}
                </Line>
              );
            })}
          </Lines>
        )}
      </Answer>
      {open?.what === "link" && (
        <Prove
          title={say("identities.linkOne", { name: open.provider.name })}
          lead={<p>{say("identities.linkLead", { name: open.provider.name })}</p>}
          submit={say("identities.go", { name: open.provider.name })}
          onClose={close}
          act={async (proof) => leaveFor(await identities.beginIdentity({ providerId: open.provider.id, proof }), "link")}
        />
      )}
      {open?.what === "unlink" && (
        <Prove
          title={say("identities.unlinkSure", { name: open.provider.name })}
          lead={<p>{say("identities.unlinkLead", { name: open.provider.name })}</p>}
          submit={say("identities.unlink")}
          destroys
          onClose={close}
          act={async (proof) => {
            await identities.unlinkIdentity({ providerId: open.provider.id, proof });
            await asked.again();
            close();
          }}
        />
      )}
    </Section>
  );
}
