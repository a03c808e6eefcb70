import { type ReactNode, useState } from "react";

import { Section } from "@/settings/page";
import { useKnown } from "@/store/react";
import { useSession } from "@/ui/context";
import { Button, Dialog, Field, Wrong } from "@/ui/parts";

import { useDoing } from "./doing";
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
  const [currentPassword, setCurrent] = useState("");
  const [newPassword, setNew] = useState("");
  const changed = useDoing(
    async () => {
      await api.passwords.changePassword({ currentPassword, newPassword });
      onDone();
    },
    { WRONG_CREDENTIALS: "proof.wrongPassword" },
  );
  return (
    <Dialog title={say("password.change")} open onClose={onClose}>
      <form className="grid gap-4" onSubmit={changed.submit}>
        <p className="text-muted">{say("password.changeLead")}</p>
        {/* Whatever keeps passwords is told whose it is. */}
        <input type="text" name="username" autoComplete="username" value={handle} readOnly hidden />
        <Field label={say("password.current")} hint={say("proof.passwordNone")} type="password" autoComplete="current-password" required maxLength={256} value={currentPassword} onChange={(event) => setCurrent(event.target.value)} />
        <Field
          label={say("password.new")}
          hint={say("password.newHint")}
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          maxLength={256}
          value={newPassword}
          error={changed.fields["new_password"]}
          onChange={(event) => setNew(event.target.value)}
        />
        <Wrong>{changed.error}</Wrong>
        <Button type="submit" look="primary" disabled={changed.busy}>
          {say("password.change")}
        </Button>
      </form>
    </Dialog>
  );
}
