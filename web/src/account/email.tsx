import { Mail } from "lucide-react";
import { type ReactNode, useState } from "react";

import { useAsked } from "@/settings/asked";
import { Answer, Badge, Line, Lines, Section } from "@/settings/page";
import { useKnown } from "@/store/react";
import { useSession } from "@/ui/context";
import { Button, Field, Wrong } from "@/ui/parts";

import { useDoing } from "./doing";
import { Prove } from "./proof";
import { useSay } from "./texts";

/** The address of the account: whether it is one's own, and another instead. */
export function EmailAddress(): ReactNode {
  const say = useSay();
  const { api } = useSession();
  const handle = useKnown((state) => state.me?.handle ?? "");
  const asked = useAsked(() => api.emails.getEmail({}));
  const [changing, setChanging] = useState(false);
  const [email, setEmail] = useState("");
  /** Where a mail was sent to just now. */
  const [sent, setSent] = useState("");
  const resent = useDoing(async () => {
    const address = asked.value?.email ?? "";
    await api.emails.resendVerification({ handle, email: address });
    setSent(address);
  });
  return (
    <Section
      title={say("email.title")}
      lead={say("email.lead")}
      action={<Button onClick={() => setChanging(true)}>{say("email.change")}</Button>}
    >
      <Answer of={asked}>
        {(found) => (
          <Lines label={say("email.title")}>
            <Line
              icon={<Mail size={20} strokeWidth={1.6} aria-hidden />}
              title={
                <>
                  <bdi>{found.email}</bdi> {found.verified ? <Badge look="good">{say("email.verified")}</Badge> : <Badge look="warn">{say("email.unverified")}</Badge>}
                </>
              }
              about={found.verified ? undefined : say("email.unverifiedLead")}
            >
              {!found.verified && (
                <Button disabled={resent.busy} onClick={() => resent.submit()}>
                  {say("email.resend")}
                </Button>
              )}
            </Line>
          </Lines>
        )}
      </Answer>
      <p role="status" className="text-13 text-positive empty:hidden">
        {sent === "" ? "" : say("email.sent", { email: sent })}
      </p>
      <Wrong>{resent.error}</Wrong>
      {changing && (
        <Prove
          title={say("email.change")}
          lead={<p>{say("email.changeLead")}</p>}
          submit={say("email.send")}
          onClose={() => setChanging(false)}
          act={async (proof) => {
            await api.emails.changeEmail({ email, proof });
            setSent(email);
            setChanging(false);
            await asked.again();
          }}
        >
          <Field label={say("email.new")} type="email" autoComplete="email" required maxLength={254} value={email} onChange={(event) => setEmail(event.target.value)} />
        </Prove>
      )}
    </Section>
  );
}
