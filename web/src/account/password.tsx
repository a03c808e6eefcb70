import { type ReactNode, useState } from "react";

import { Section } from "@/settings/page";
import { useKnown } from "@/store/react";
import { useSession } from "@/ui/context";
import { Button, Field } from "@/ui/parts";

import { Prove } from "./proof";
import { useSay } from "./texts";

/** Another password. */
export function Password(): ReactNode {
  const say = useSay();
  const [open, setOpen] = useState(false);
  const [done, setDone] = useState(false);
  return (
    <Section title={say("password.title")} lead={say("password.lead")} action={<Button onClick={() => setOpen(true)}>{say("password.change")}</Button>}>
      <p role="status" className="text-13 text-positive empty:hidden">
        {done ? say("password.done") : ""}
      </p>
      {open && (
        <Change
          onClose={() => setOpen(false)}
          onDone={() => {
            setOpen(false);
            setDone(true);
          }}
        />
      )}
    </Section>
  );
}

function Change({ onClose, onDone }: { readonly onClose: () => void; readonly onDone: () => void }): ReactNode {
  const say = useSay();
  const { api } = useSession();
  const handle = useKnown((state) => state.me?.handle);
  const [newPassword, setNew] = useState("");
  return (
    <Prove
      title={say("password.change")}
      lead={<p>{say("password.changeLead")}</p>}
      submit={say("password.change")}
      password={say("password.current")}
      onClose={onClose}
      act={async (proof) => {
        await api.passwords.changePassword({ proof, newPassword });
        onDone();
      }}
    >
      {/* Whatever keeps passwords is told whose it is. */}
      <input type="text" name="username" autoComplete="username" value={handle} readOnly hidden />
      <Field
        label={say("password.new")}
        hint={say("password.newHint")}
        type="password"
        autoComplete="new-password"
        required
        minLength={8}
        maxLength={256}
        value={newPassword}
        onChange={(event) => setNew(event.target.value)}
      />
    </Prove>
  );
}
