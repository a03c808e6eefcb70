import { Hash, Lock, MessageCircle } from "lucide-react";
import type { ReactNode } from "react";

import { type Channel, ChannelType } from "@creavio/client/community/v1/channel";

/** What kind of channel it is. */
export function Sign({ channel }: { readonly channel: Channel }): ReactNode {
  const Icon = channel.private ? Lock : channel.type === ChannelType.FORUM ? MessageCircle : Hash;
  return <Icon size={16} strokeWidth={1.75} aria-hidden className="shrink-0" />;
}
