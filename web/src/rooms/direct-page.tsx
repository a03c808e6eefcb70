import { UserRound, UsersRound } from "lucide-react";
import { type ReactNode, useState } from "react";

import { nameOfConversation } from "@/store/names";
import { useKnown } from "@/store/react";
import { Dialog } from "@/ui/parts";

import { Bar, BarButton } from "./bar";
import { GroupSettings } from "./group";
import { JumpButton } from "./jump";
import { PinsButton, SavedButton } from "./panels";
import { Room } from "./room";
import { useSay } from "./texts";

/** A conversation of two, or of several. */
export function DirectPage({ conversationId }: { readonly conversationId: string }): ReactNode {
  const say = useSay();
  const name = useKnown((state) => nameOfConversation(state, conversationId));
  const conversation = useKnown((state) => state.conversations[conversationId]);
  const [settings, setSettings] = useState(false);
  if (conversation === undefined) return null;
  const where = { roomId: conversationId, communityId: "", channelId: "" };
  const Sign = conversation.group ? UsersRound : UserRound;
  return (
    <>
      <Bar back={{ at: "direct", conversationId: "" }} sign={<Sign size={18} strokeWidth={1.75} aria-hidden />} title={name}>
        <JumpButton roomId={conversationId} />
        <PinsButton {...where} />
        <SavedButton />
        {conversation.group && (
          <BarButton label={say("group.settings")} icon={UsersRound} leads aria-haspopup="dialog" onClick={() => setSettings(true)} />
        )}
      </Bar>
      <Room key={conversationId} {...where} name={name} start={say("channel.startDirect", { name })} pointed />
      <Dialog title={say("group.settings")} open={settings} onClose={() => setSettings(false)}>
        <GroupSettings conversation={conversation} onDone={() => setSettings(false)} />
      </Dialog>
    </>
  );
}
