import { timestampDate } from "@bufbuild/protobuf/wkt";
import { MessagesSquare } from "lucide-react";
import type { ReactNode } from "react";

import type { MessageThread } from "@creavio/client/chat/v1/message";
import { go } from "@/route";
import { useKnown } from "@/store/react";
import { clock } from "@/ui/dates";
import { classes } from "@/ui/parts";

import { useSay } from "./texts";
import { useWhere } from "./where";

/** The thread that began at a message: how much is said there, and the way to it. */
export function ThreadStub({ thread }: { readonly thread: MessageThread }): ReactNode {
  const say = useSay();
  const { communityId, channelId } = useWhere();
  const unread = useKnown((state) => (state.reads[thread.threadId]?.unreadCount ?? 0) > 0);
  const count = Number(thread.replyCount);
  return (
    <button
      type="button"
      id={`stub-${thread.threadId}`}
      onClick={() => go({ at: "channel", communityId, channelId, threadId: thread.threadId })}
      className="mt-1.5 inline-flex min-h-8 max-w-full items-center gap-2 rounded-control px-2.5 text-13 text-muted shadow-[inset_0_0_0_1px_var(--line)] hover:bg-hover"
    >
      <MessagesSquare size={16} aria-hidden className="shrink-0 text-accent-text" />
      <b className={classes("shrink-0 text-accent-text", unread ? "font-bold" : "font-semibold")}>
        {count === 0 ? say("message.thread") : count === 1 ? say("thread.one") : say("thread.many", { count })}
      </b>
      {thread.lastReplyTime !== undefined && (
        <span className="truncate">{say("thread.last", { time: clock(timestampDate(thread.lastReplyTime)) })}</span>
      )}
      {unread && <span aria-hidden className="size-1.5 shrink-0 rounded-full bg-text" />}
    </button>
  );
}
