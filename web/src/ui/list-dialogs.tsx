import { Link2 } from "lucide-react";
import { type ReactNode, useState } from "react";

import { useSay } from "@/rooms/texts";
import { go } from "@/route";

import { Confirm } from "./confirm";
import { useActions } from "./context";
import { useMutation } from "./mutation";
import { Button, Field, Wrong } from "./parts";

/** Opens a channel. */
export function NewChannel({ communityId, onDone }: { readonly communityId: string; readonly onDone: () => void }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [name, setName] = useState("");
  const [secret, setSecret] = useState(false);
  const done = useMutation(async () => {
    const channelId = await actions.openChannel(communityId, name, secret);
    onDone();
    go({ at: "channel", communityId, channelId });
  });
  return (
    <form className="grid gap-4" onSubmit={done.submit}>
      <Field
        label={say("list.channelName")}
        hint={say("list.channelHint")}
        required
        autoFocus
        maxLength={64}
        value={name}
        error={done.error}
        onChange={(event) => setName(event.target.value)}
      />
      <label className="flex items-center gap-2.5">
        <input type="checkbox" className="size-4.5 accent-accent" checked={secret} onChange={(event) => setSecret(event.target.checked)} />
        {say("list.private")}
      </label>
      <Button type="submit" look="primary" disabled={done.busy}>
        {say("list.create")}
      </Button>
    </form>
  );
}

/** Makes an invitation. */
export function Invite({ communityId }: { readonly communityId: string }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [link, setLink] = useState("");
  const [copied, setCopied] = useState(false);
  const made = useMutation(async () => setLink(`${location.origin}/invite/${await actions.invite(communityId)}`));
  return (
    <div className="grid gap-4">
      <p className="text-muted">{say("list.inviteLead")}</p>
      {link === "" ? (
        <Button look="primary" disabled={made.busy} onClick={() => made.submit()}>
          <Link2 size={16} aria-hidden /> {say("list.invite")}
        </Button>
      ) : (
        <div className="flex items-end gap-2">
          <Field label={say("list.invite")} readOnly value={link} className="grow" onFocus={(event) => event.target.select()} />
          <Button className="min-h-10!" onClick={() => void navigator.clipboard.writeText(link).then(() => setCopied(true))}>
            {say(copied ? "common.copied" : "common.copy")}
          </Button>
        </div>
      )}
      <Wrong>{made.error}</Wrong>
    </div>
  );
}

interface LeaveProps {
  readonly name: string;
  readonly leave: () => Promise<void>;
  readonly onClose: () => void;
}

/** Asks before one leaves. */
export function Leave({ name, leave, onClose }: LeaveProps): ReactNode {
  const say = useSay();
  const done = useMutation(leave);
  return (
    <Confirm
      title={say("list.leave")}
      lead={say("list.leaveSure", { name })}
      action={say("list.leave")}
      busy={done.busy}
      error={done.error}
      onDo={done.submit}
      onClose={onClose}
    />
  );
}
