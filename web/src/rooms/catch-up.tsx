import { AtSign, MessagesSquare } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";

import { go, type Place } from "@/route";
import { nameOfConversation } from "@/store/names";
import { useParts } from "@/store/react";
import type { State } from "@/store/state";
import { useActions } from "@/ui/context";
import { Button, Count, Mark, Tile } from "@/ui/parts";
import { Sign } from "@/ui/sign";

import { useSay } from "./texts";
import { useDoing } from "./use-doing";

interface Entry {
  readonly key: string;
  readonly title: string;
  readonly sign: ReactNode;
  readonly place: Place;
  readonly unread: number;
  readonly mentions: number;
}

/** Everything that is new to oneself, wherever it was said. */
export function CatchUp(): ReactNode {
  const say = useSay();
  const actions = useActions();
  const doing = useDoing();
  const state = useParts("communities", "channels", "conversations", "threads", "users", "me", "reads");
  const [followed, setFollowed] = useState<readonly string[]>([]);
  const ids = Object.keys(state.communities).sort().join(" ");
  useEffect(() => {
    void doing.newThreads(ids === "" ? [] : ids.split(" ")).then(setFollowed, () => {});
  }, [doing, ids]);
  const groups = useMemo(() => groupsOf(state, followed, say("list.direct")), [state, followed, say]);
  const readAll = (entries: readonly Entry[]): void => {
    for (const one of entries) void actions.readAll(one.key).catch(() => {});
  };
  return (
    <div className="min-h-0 grow overflow-y-auto">
      <div className="mx-auto grid max-w-[46rem] gap-6 px-4 py-6 mid:px-8 mid:py-10">
        <h1 className="font-display text-26 font-bold tracking-[-0.025em]">{say("catchUp.title")}</h1>
        {groups.length === 0 && (
          <div className="grid justify-items-center gap-3 py-12 text-center">
            <Mark size={72} />
            <p className="text-15 text-muted">{say("catchUp.none")}</p>
          </div>
        )}
        {groups.map(({ key, title, sign, entries }) => (
          <section key={key} aria-label={title} className="grid gap-1.5">
            <div className="flex items-center gap-2.5">
              {sign}
              <h2 className="min-w-0 grow truncate font-display text-17 font-bold tracking-[-0.012em]">{title}</h2>
              <Button look="quiet" className="min-h-8! shrink-0 text-13" onClick={() => readAll(entries)}>
                {say("catchUp.read")}
              </Button>
            </div>
            <ul className="grid gap-px">
              {entries.map((one) => (
                <li key={one.key}>
                  <button
                    type="button"
                    onClick={() => go(one.place)}
                    className="flex min-h-11 w-full items-center gap-2.5 rounded-control px-2.5 text-start hover:bg-row-hover focus-visible:-outline-offset-2"
                  >
                    <span className="shrink-0 text-faint">{one.sign}</span>
                    <bdi className="min-w-0 grow truncate font-semibold">{one.title}</bdi>
                    <span className="shrink-0 text-12 text-muted">{say("catchUp.count", { count: one.unread })}</span>
                    {one.mentions > 0 && <Count>{one.mentions}</Count>}
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </div>
  );
}

function groupsOf(state: Parameters<typeof nameOfConversation>[0] & Pick<State, "communities" | "channels" | "threads" | "reads">, followed: readonly string[], direct: string) {
  const entry = (id: string, title: string, sign: ReactNode, place: Place): Entry[] => {
    const { unreadCount: unread = 0, mentionCount: mentions = 0 } = state.reads[id] ?? {};
    return unread === 0 ? [] : [{ key: id, title, sign, place, unread, mentions }];
  };
  const conversations = Object.keys(state.conversations).flatMap((id) =>
    entry(id, nameOfConversation(state, id), <AtSign size={16} aria-hidden />, { at: "direct", conversationId: id }),
  );
  const communities = Object.values(state.communities).map(({ id: communityId, name }) => {
    const channels = state.channels[communityId] ?? [];
    const threads = followed.flatMap((id) => {
      const thread = state.threads[id];
      if (thread === undefined || !channels.some((one) => one.id === thread.channelId)) return [];
      return entry(id, thread.name, <MessagesSquare size={16} aria-hidden />, { at: "channel", communityId, channelId: thread.channelId, threadId: id });
    });
    const rooms = channels.flatMap((one) => entry(one.id, one.name, <Sign channel={one} />, { at: "channel", communityId, channelId: one.id }));
    const sign = <Tile id={communityId} className="size-7! rounded-[9px]!" />;
    return { key: communityId, title: name, sign, entries: [...rooms, ...threads] };
  });
  return [{ key: "direct", title: direct, sign: null, entries: conversations }, ...communities].filter((one) => one.entries.length > 0);
}
