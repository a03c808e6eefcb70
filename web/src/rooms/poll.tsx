import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type ReactNode, useEffect, useState } from "react";

import type { Message } from "@creavio/client/chat/v1/message";
import type { Poll as PollMessage } from "@creavio/client/chat/v1/poll";
import { Permission } from "@creavio/client/options/v1/permission";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { whole } from "@/ui/dates";
import { useMutation } from "@/ui/mutation";
import { Button, classes, Dialog, Wrong } from "@/ui/parts";
import { wrong } from "@/ui/wrong";

import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import { useRights } from "./where";

/** A question to everybody: its answers, how many chose each, and one's own choice. */
export function Poll({ message, poll }: { readonly message: Message; readonly poll: PollMessage }): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const may = useRights();
  const meId = useKnown((state) => state.me?.id);
  const [who, setWho] = useState<number>();
  const [error, setError] = useState<string>();
  const closes = poll.closeTime === undefined ? undefined : timestampDate(poll.closeTime);
  const closed = closes !== undefined && closes.getTime() <= Date.now();
  // What is pressed is shown at once, and stands once the platform has it.
  const [pressed, setPressed] = useState<readonly number[]>();
  const chosen = pressed ?? poll.chosen;
  const choose = (at: number): void => {
    const others = poll.multiple ? chosen.filter((one) => one !== at) : [];
    const next = chosen.includes(at) ? others : [...others, at];
    setError(undefined);
    setPressed(next);
    void doing
      .vote(message, next)
      .catch((thrown: unknown) => setError(wrong(thrown)))
      .finally(() => setPressed(undefined));
  };
  const close = useMutation(() => doing.closePoll(message));
  return (
    <div className="my-1 grid max-w-[30rem] gap-2 rounded-card bg-surface p-3.5 shadow-[inset_0_0_0_1px_var(--line)]">
      <p dir="auto" className="text-15 font-semibold [overflow-wrap:anywhere]">
        {poll.question}
      </p>
      <ul className="grid gap-1.5">
        {poll.options.map((option, at) => (
            <li key={at} className="grid gap-1">
              <div className="flex items-center gap-2.5">
                <label className={classes("flex min-h-8 min-w-0 grow items-center gap-2.5", closed && "text-muted")}>
                  <input
                    type="checkbox"
                    className={classes("size-4 shrink-0 accent-accent", !poll.multiple && "rounded-full")}
                    checked={chosen.includes(at)}
                    disabled={closed}
                    onChange={() => choose(at)}
                  />
                  <span dir="auto" className="min-w-0 [overflow-wrap:anywhere]">
                    {option.text}
                  </span>
                </label>
                {poll.anonymous || option.voteCount === 0 ? (
                  <span className="text-12 text-muted tabular-nums">{option.voteCount}</span>
                ) : (
                  <button
                    type="button"
                    aria-label={`${option.voteCount}, ${say("poll.who", { text: option.text })}`}
                    className="min-w-6 text-12 text-muted tabular-nums underline-offset-3 hover:underline"
                    onClick={() => setWho(at)}
                  >
                    {option.voteCount}
                  </button>
                )}
              </div>
              <progress
                value={option.voteCount}
                max={Math.max(1, poll.voterCount)}
                aria-label={say("poll.votes", { count: option.voteCount, all: poll.voterCount })}
                className="h-1.5 w-full appearance-none overflow-hidden rounded-full [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-hover [&::-webkit-progress-value]:bg-accent"
              />
            </li>
        ))}
      </ul>
      <p className="flex flex-wrap items-center gap-x-3 text-12 text-muted">
        {say("poll.voters", { count: poll.voterCount })}
        {closed ? <b>{say("poll.closed")}</b> : closes !== undefined && <span>{say("poll.closes", { time: whole(closes) })}</span>}
        {poll.anonymous && <span>{say("poll.secret")}</span>}
        {!closed && (message.authorId === meId || may(Permission.MANAGE_MESSAGES)) && (
          <Button look="quiet" className="ms-auto min-h-7! px-2! text-12" disabled={close.busy} onClick={() => close.submit()}>
            {say("poll.close")}
          </Button>
        )}
      </p>
      <Wrong>{error ?? close.error}</Wrong>
      <Dialog title={say("poll.who", { text: poll.options[who ?? 0]?.text ?? "" })} open={who !== undefined} onClose={() => setWho(undefined)}>
        {who !== undefined && <Voters message={message} option={who} />}
      </Dialog>
    </div>
  );
}

function Voters({ message, option }: { readonly message: Message; readonly option: number }): ReactNode {
  const doing = useDoing();
  const users = useKnown((state) => state.users);
  const [ids, setIds] = useState<readonly string[]>();
  useEffect(() => {
    void doing.voters(message, option).then(setIds, () => setIds([]));
  }, [doing, message.id, option]);
  return (
    <ul className="grid max-h-[50dvh] gap-1 overflow-y-auto">
      {ids?.map((id) => (
        <li key={id} dir="auto">
          {nameOf(users[id])}
        </li>
      ))}
    </ul>
  );
}
