import { MessagesSquare } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";

import type { Thread } from "@creavio/client/chat/v1/thread";
import { Permission } from "@creavio/client/options/v1/permission";
import { go } from "@/route";
import { useKnown } from "@/store/react";
import { Button, classes } from "@/ui/parts";

import { PanelButton } from "./panels";
import { useSay } from "./texts";
import { BeginThread } from "./thread-dialogs";
import { useDoing } from "./use-doing";
import { useRights, type Where, WhereProvider } from "./where";

/** The threads of a channel, and a way to begin one. */
export function ThreadsButton(where: Where): ReactNode {
  const say = useSay();
  return (
    <PanelButton label={say("bar.threads")} icon={MessagesSquare}>
      <WhereProvider value={where}>
        <Threads {...where} />
      </WhereProvider>
    </PanelButton>
  );
}

function Threads({ communityId, channelId }: Where): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const may = useRights();
  const [archived, setArchived] = useState(false);
  const [threads, setThreads] = useState<readonly Thread[]>();
  const [beginning, setBeginning] = useState(false);
  const reads = useKnown((state) => state.reads);
  useEffect(() => {
    void doing.threads(channelId, archived).then(setThreads, () => setThreads([]));
  }, [doing, channelId, archived]);
  if (beginning) {
    return (
      <div className="px-2 pb-2">
        <BeginThread channelId={channelId} messageId="" about="" onDone={() => setBeginning(false)} />
      </div>
    );
  }
  return (
    <>
      <div className="flex gap-1 px-2 pb-2">
        {[false, true].map((one) => (
          <Button key={String(one)} look={archived === one ? "plain" : "quiet"} aria-pressed={archived === one} className="min-h-8! text-13" onClick={() => setArchived(one)}>
            {say(one ? "thread.archived" : "thread.active")}
          </Button>
        ))}
        {may(Permission.SEND_MESSAGES) && (
          <Button look="quiet" className="ms-auto min-h-8! text-13" onClick={() => setBeginning(true)}>
            {say("message.startThread")}
          </Button>
        )}
      </div>
      {threads?.length === 0 && <p className="px-2 pb-2 text-muted">{say("thread.empty")}</p>}
      <ul>
        {threads?.map((one) => {
          const count = Number(one.replyCount);
          const unread = (reads[one.id]?.unreadCount ?? 0) > 0;
          return (
            <li key={one.id}>
              <button
                type="button"
                data-leaves
                onClick={() => go({ at: "channel", communityId, channelId, threadId: one.id })}
                className="grid w-full gap-0.5 rounded-control px-2 py-2 text-start hover:bg-hover focus-visible:-outline-offset-2"
              >
                <bdi className={classes("truncate", unread && "font-semibold")}>{one.name}</bdi>
                <span className="text-12 text-faint">{count === 1 ? say("thread.one") : say("thread.many", { count })}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}
