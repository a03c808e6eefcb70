import { pages } from "@creavio/client";
import { type ReactNode, useEffect, useState } from "react";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { useStore } from "zustand";

import type { Block } from "@creavio/client/user/v1/block_service";
import { DirectMessages } from "@creavio/client/user/v1/settings_service";
import type { Place } from "@/route";
import { useAsked } from "@/settings/asked";
import { SettingsHeader } from "@/settings/frame";
import { Answer, Line, Lines, Nothing, Section, SettingsBody } from "@/settings/page";
import { Choice, Switch } from "@/settings/parts";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { useHeard } from "@/stream/heard";
import { useActions } from "@/ui/context";
import { Avatar, Button, Field, Wrong } from "@/ui/parts";
import { wrong } from "@/ui/wrong";

import { useDoing } from "./doing";
import { keep, kept } from "./kept";
import { useServices } from "./services";
import { useSay } from "./texts";
import { date } from "./times";

/** What others are told, and with whom one wants nothing to do. */
export function Privacy({ list }: { readonly list: Place }): ReactNode {
  const say = useSay();
  return (
    <>
      <SettingsHeader title={say("privacy.title")} list={list} />
      <SettingsBody>
        <Reach />
        <Typing />
        <Blocks />
      </SettingsBody>
    </>
  );
}

/** Who may begin to talk to oneself. */
function Reach(): ReactNode {
  const say = useSay();
  const { api } = useActions();
  const directMessages = useStore(kept, (settings) => settings.directMessages);
  const [error, setError] = useState<string>();
  return (
    <div className="grid gap-2">
      <Choice
        title={say("reach.title")}
        value={String(directMessages)}
        options={[
          { value: String(DirectMessages.UNSPECIFIED), title: say("reach.everybody"), hint: say("reach.everybodyHint") },
          { value: String(DirectMessages.COMMUNITIES), title: say("audience.communities") },
          { value: String(DirectMessages.NOBODY), title: say("reach.nobody"), hint: say("reach.nobodyHint") },
        ]}
        onChange={(value) => {
          setError(undefined);
          keep(api, { directMessages: Number(value) }).catch((thrown: unknown) => setError(wrong(thrown)));
        }}
      />
      <Wrong>{error}</Wrong>
    </div>
  );
}

function Typing(): ReactNode {
  const say = useSay();
  const { api } = useActions();
  const hideTyping = useStore(kept, (settings) => settings.hideTyping);
  const set = useDoing(() => keep(api, { hideTyping: !hideTyping }));
  return (
    <Section title={say("privacy.told")} lead={say("privacy.toldLead")}>
      <Switch label={say("privacy.typing")} hint={say("privacy.typingHint")} checked={!hideTyping} disabled={set.busy} onChange={() => set.submit()} />
      <Wrong>{set.error}</Wrong>
    </Section>
  );
}

function Blocks(): ReactNode {
  const say = useSay();
  const actions = useActions();
  const { blocks } = useServices();
  const asked = useAsked(async () => {
    const found: Block[] = [];
    for await (const one of pages(blocks.listBlocks, { pageSize: 100 }, (page) => page.blocks)) found.push(one);
    return found;
  });
  useHeard((payload) => {
    if (payload.case === "userBlocked" || payload.case === "userUnblocked") void asked.again();
  });
  const found = asked.value;
  useEffect(() => {
    if (found !== undefined) actions.know(found.map((one) => one.userId));
  }, [actions, found]);
  return (
    <Section title={say("blocks.title")} lead={say("blocks.lead")}>
      <Add onDone={asked.again} />
      <Answer of={asked}>
        {(known) =>
          known.length === 0 ? (
            <Nothing>{say("blocks.none")}</Nothing>
          ) : (
            <Lines label={say("blocks.title")}>
              {known.map((one) => (
                <Blocked key={one.userId} block={one} onDone={asked.again} />
              ))}
            </Lines>
          )
        }
      </Answer>
    </Section>
  );
}

/** Blocks somebody by their handle: who is to be blocked need not be in sight. */
function Add({ onDone }: { readonly onDone: () => Promise<void> }): ReactNode {
  const say = useSay();
  const { api } = useActions();
  const { blocks } = useServices();
  const [handle, setHandle] = useState("");
  const blocked = useDoing(
    async () => {
      const user = await api.users.getUserByHandle({ handle: handle.trim().replace(/^@/, "") });
      await blocks.blockUser({ userId: user.id });
      setHandle("");
      await onDone();
    },
    { NOT_FOUND: "blocks.unknown", INVALID_FIELD: "blocks.unknown", LIMIT_REACHED: "blocks.full" },
  );
  return (
    <form className="flex flex-wrap items-start gap-2" onSubmit={blocked.submit}>
      <Field
        className="min-w-0 grow basis-56"
        label={say("blocks.handle")}
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        required
        maxLength={33}
        value={handle}
        error={blocked.error}
        onChange={(event) => setHandle(event.target.value)}
      />
      <Button type="submit" className="mt-6.25 min-h-10!" disabled={blocked.busy}>
        {say("blocks.block")}
      </Button>
    </form>
  );
}

function Blocked({ block, onDone }: { readonly block: Block; readonly onDone: () => Promise<void> }): ReactNode {
  const say = useSay();
  const { blocks } = useServices();
  const user = useKnown((state) => state.users[block.userId]);
  const name = nameOf(user);
  const undone = useDoing(async () => {
    await blocks.unblockUser({ userId: block.userId });
    await onDone();
  });
  return (
    <Line
      icon={<Avatar id={block.userId} />}
      title={<bdi>{name}</bdi>}
      about={
        <>
          {user !== undefined && <bdi>@{user.handle}</bdi>}
          {block.createTime !== undefined && <> · {say("blocks.since", { date: date(timestampDate(block.createTime)) })}</>}
          <Wrong>{undone.error}</Wrong>
        </>
      }
    >
      <Button aria-label={say("blocks.unblockOne", { name })} disabled={undone.busy} onClick={() => undone.submit()}>
        {say("blocks.unblock")}
      </Button>
    </Line>
  );
}
