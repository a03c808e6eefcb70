import { Popover } from "radix-ui";
import type { ReactNode } from "react";

import { useSay } from "@/rooms/texts";
import { go } from "@/route";
import { useKnown } from "@/store/react";

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
  const actions = useActions();
  const user = useKnown((state) => state.users[id]);
  const presence = useKnown((state) => state.presences[id]);
  const mine = useKnown((state) => state.me?.id === id);
  const write = useMutation(async () => go({ at: "direct", conversationId: await actions.writeTo(id) }));
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
          <div className="flex items-center gap-3">
            <Avatar id={id} name={name} presence={presence} />
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
          <Wrong>{write.error}</Wrong>
          {!mine && user !== undefined && (
            <Button look="primary" disabled={write.busy} onClick={() => write.submit()}>
              {say("profile.message")}
            </Button>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
