import { Users } from "lucide-react";
import { type ReactNode, useDeferredValue } from "react";

import { ChannelType } from "@creavio/client/community/v1/channel";
import { useKnown } from "@/store/react";
import { Sign } from "@/ui/sign";

import { Bar, BarButton } from "./bar";
import { Forum } from "./forum";
import { JumpButton } from "./jump";
import { PinsButton, SavedButton } from "./panels";
import { Room } from "./room";
import { ThreadsButton } from "./threads-button";
import { useSay } from "./texts";

interface ChannelPageProps {
  readonly communityId: string;
  readonly channelId: string;
  readonly threadId?: string;
  readonly people: boolean;
  readonly onPeople: () => void;
}

/** A channel: its bar, and what is said or posted there. */
export function ChannelPage({ communityId, channelId, threadId, people, onPeople }: ChannelPageProps): ReactNode {
  const say = useSay();
  const channel = useKnown((state) => state.channels[communityId]?.find((one) => one.id === channelId));
  const known = useKnown((state) => communityId in state.channels);
  // A page takes long to draw on a phone: where there was none, it is drawn in parts, and whoever types or presses goes first.
  const late = useDeferredValue(channel) === undefined;
  if (channel !== undefined && late) return null;
  if (channel === undefined) return known ? <p className="p-6 text-muted">{say("channel.gone")}</p> : null;
  const where = { roomId: channelId, communityId, channelId };
  const forum = channel.type === ChannelType.FORUM;
  return (
    <>
      <Bar back={{ at: "channel", communityId, channelId: "" }} sign={<Sign channel={channel} />} title={channel.name} topic={channel.topic}>
        {!forum && <JumpButton roomId={channelId} />}
        {!forum && <ThreadsButton {...where} />}
        {!forum && <PinsButton {...where} />}
        <SavedButton />
        <BarButton label={say("people.title")} icon={Users} leads aria-pressed={people} onClick={onPeople} />
      </Bar>
      {forum ? (
        <Forum key={channelId} channel={channel} current={threadId ?? ""} />
      ) : (
        <Room
          key={channelId}
          {...where}
          name={`#${channel.name}`}
          start={say("channel.start", { name: channel.name })}
          pointed={threadId === undefined}
        />
      )}
    </>
  );
}
