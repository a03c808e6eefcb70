import { Popover } from "radix-ui";
import { type ReactNode, useState } from "react";

import { useSay } from "@/rooms/texts";
import { go } from "@/route";
import { useKnown } from "@/store/react";

import { block, useBlocked } from "./blocks";
import { useActions } from "./context";
import { useMutation } from "./mutation";
import { Avatar, Button, Wrong } from "./parts";

interface ProfileProps {
  readonly id: string;
  readonly name: string;
  readonly className?: string;
  /** What is pressed to see it. */
  readonly children: ReactNode;
}

/** Who somebody is, and a way to write to them, behind whatever stands for them. */
export function Profile({ id, name, className, children }: ProfileProps): ReactNode {
  const say = useSay();
  return (
    <Popover.Root>
      <Popover.Trigger aria-label={say("profile.open", { name })} className={className}>
        {children}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          side="right"
          align="start"
          sideOffset={8}
          collisionPadding={8}
          aria-label={say("profile.open", { name })}
          className="z-50 grid w-72 gap-3 rounded-card bg-overlay p-4 shadow-2"
        >
          <Card id={id} name={name} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Card({ id, name }: { readonly id: string; readonly name: string }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const user = useKnown((state) => state.users[id]);
  const presence = useKnown((state) => state.presences[id]);
  const mine = useKnown((state) => state.me?.id === id);
  const blocked = useBlocked(actions.api, id);
  const [sure, setSure] = useState(false);
  const write = useMutation(async () => go({ at: "direct", conversationId: await actions.writeTo(id) }));
  const apart = useMutation(async () => {
    await block(actions.api, id, blocked !== true);
    setSure(false);
  });
  return (
    <>
      <div className="flex items-center gap-3">
        <Avatar id={id} presence={presence} />
        <p className="min-w-0">
          <b className="block truncate text-15 font-semibold" dir="auto">
            {name}
          </b>
          <bdi className="block truncate text-12 text-faint">@{user?.handle}</bdi>
        </p>
      </div>
      {user?.statusText && (
        <p dir="auto" className="text-13 [overflow-wrap:anywhere]">
          {user.statusText}
        </p>
      )}
      {user?.bio && (
        <p dir="auto" className="text-13 text-muted [overflow-wrap:anywhere]">
          {user.bio}
        </p>
      )}
      {blocked === true && <p className="text-13 text-muted">{say("profile.blocked")}</p>}
      {sure && <p className="text-13 text-muted">{say("profile.blockSure", { name })}</p>}
      <Wrong>{write.error ?? apart.error}</Wrong>
      {!mine && user !== undefined && !sure && blocked !== true && (
        <Button look="primary" disabled={write.busy} onClick={() => write.submit()}>
          {say("profile.message")}
        </Button>
      )}
      {!mine && user !== undefined && blocked !== undefined && (
        <div className="grid grid-flow-col justify-stretch gap-2">
          {sure && <Button onClick={() => setSure(false)}>{say("common.cancel")}</Button>}
          <Button look={sure ? "danger" : "quiet"} disabled={apart.busy} onClick={() => (sure || blocked ? apart.submit() : setSure(true))}>
            {say(blocked ? "profile.unblock" : "profile.block")}
          </Button>
        </div>
      )}
    </>
  );
}
