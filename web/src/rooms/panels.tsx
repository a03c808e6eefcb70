import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Bookmark, type LucideIcon, Pin } from "lucide-react";
import { Popover } from "radix-ui";
import { type ReactNode, useEffect, useState } from "react";

import type { Message } from "@creavio/client/chat/v1/message";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { whole } from "@/ui/dates";
import { Button } from "@/ui/parts";

import { BarButton } from "./bar";
import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import type { Where } from "./where";
import { asTyped } from "./written";

interface PanelButtonProps {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly children: ReactNode;
}

/** A button of the bar, and what opens below it. */
export function PanelButton({ label, icon, children }: PanelButtonProps): ReactNode {
  const [open, setOpen] = useState(false);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <BarButton label={label} icon={icon} />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label={label}
          onClick={(event) => event.target instanceof Element && event.target.closest("[data-leaves]") !== null && setOpen(false)}
          className="z-50 grid max-h-[min(34rem,70dvh)] w-[min(25rem,calc(100vw-1rem))] grid-rows-[auto_minmax(0,1fr)] rounded-card bg-overlay shadow-2"
        >
          <h2 className="px-4 pt-3.5 pb-2 font-display text-17 font-bold tracking-[-0.012em]">{label}</h2>
          <div className="min-h-0 overflow-y-auto px-2 pb-2">{children}</div>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

/** What is pinned in a room. */
export function PinsButton(where: Where): ReactNode {
  const say = useSay();
  return (
    <PanelButton label={say("bar.pins")} icon={Pin}>
      <Pins {...where} />
    </PanelButton>
  );
}

function Pins(where: Where): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const [pins, setPins] = useState<readonly Message[]>();
  useEffect(() => {
    void doing.pins(where.roomId).then(setPins, () => setPins([]));
  }, [doing, where.roomId]);
  // What is unpinned while the list is open leaves it.
  const messages = useKnown((state) => state.rooms[where.roomId]?.messages);
  const shown = pins?.filter((pin) => messages?.some((one) => one.id === pin.id && one.pinTime === undefined) !== true);
  if (shown?.length === 0) return <p className="px-2 pb-2 text-muted">{say("pins.none")}</p>;
  return <ul>{shown?.map((one) => <Found key={one.id} message={one} />)}</ul>;
}

/** The messages one keeps, wherever they stand. */
export function SavedButton(): ReactNode {
  const say = useSay();
  return (
    <PanelButton label={say("bar.saved")} icon={Bookmark}>
      <Saved />
    </PanelButton>
  );
}

function Saved(): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const [all, setAll] = useState<Awaited<ReturnType<typeof doing.saved>>>();
  const kept = useKnown((state) => state.saved);
  useEffect(() => {
    void doing.saved().then(setAll, () => setAll([]));
  }, [doing]);
  const shown = all?.filter((one) => kept?.has(one.messageId) !== false);
  if (shown?.length === 0) return <p className="px-2 pb-2 text-muted">{say("saved.none")}</p>;
  return (
    <ul>
      {shown?.map(({ messageId, channelId: roomId, message }) => {
        return message === undefined ? (
          <li key={messageId} className="flex items-center gap-2 px-2 py-2 text-13 text-faint">
            <span className="grow">{say("saved.gone")}</span>
            <Button look="quiet" className="min-h-7! text-12" onClick={() => void doing.keep(roomId, messageId, false).catch(() => {})}>
              {say("message.unkeep")}
            </Button>
          </li>
        ) : (
          <Found key={messageId} message={message} />
        );
      })}
    </ul>
  );
}

function Found({ message }: { readonly message: Message }): ReactNode {
  const doing = useDoing();
  const author = useKnown((state) => state.users[message.authorId]);
  return (
    <li>
      <button
        type="button"
        data-leaves
        onClick={() => void doing.goTo(message.channelId, message.id).catch(() => {})}
        className="grid w-full gap-0.5 rounded-control px-2 py-2 text-start hover:bg-hover focus-visible:-outline-offset-2"
      >
        <span className="flex items-baseline gap-2">
          <b className="truncate font-semibold" dir="auto">
            {nameOf(author)}
          </b>
          {message.createTime !== undefined && <time className="shrink-0 text-12 text-faint">{whole(timestampDate(message.createTime))}</time>}
        </span>
        <span dir="auto" className="line-clamp-3 text-13 text-muted [overflow-wrap:anywhere]">
          {asTyped(message.content)}
        </span>
      </button>
    </li>
  );
}
