import { Bot as BotIcon } from "lucide-react";
import { type ReactNode, useCallback, useMemo, useState } from "react";

import { BotService } from "@creavio/client/auth/v1/bot_service";
import { BotMemberService } from "@creavio/client/community/v1/bot_member_service";
import { go } from "@/route";
import { SettingsHeader } from "@/settings/frame";
import { useListing } from "@/settings/listing";
import { Nothing, Section } from "@/settings/page";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { Avatar, Button, Field, Wrong } from "@/ui/parts";

import { useManaging } from "./managing";
import type { PageProps } from "./page";
import { Body, Line, Listed, useChange, useMembers, useNameOf } from "./parts";
import { useSay } from "./texts";

/** The programs that take part here. */
export function Bots({ list }: PageProps): ReactNode {
  const say = useSay();
  const actions = useActions();
  const { communityId } = useManaging();
  const { ids } = useMembers();
  const users = useKnown((state) => state.users);
  const here = ids.filter((id) => users[id]?.bot === true);
  const own = useListing(
    useCallback(async () => {
      const { bots } = await actions.api.client.service(BotService).listBots({});
      return { items: bots, next: "" };
    }, [actions]),
  );
  const members = useMemo(() => actions.api.client.service(BotMemberService), [actions]);
  const add = async (userId: string): Promise<void> => {
    await members.addBot({ communityId, userId });
    actions.heard({ case: "memberJoined", value: { member: { communityId, userId } } as never });
  };
  return (
    <>
      <SettingsHeader title={say("bots.title")} lead={say("bots.lead")} list={list} />
      <Body>
        <Section title={say("bots.here")}>
          {here.length === 0 ? <Nothing>{say("bots.none")}</Nothing> : <ul>{here.map((id) => <Here key={id} userId={id} />)}</ul>}
        </Section>
        <AddByHandle
          add={async (handle) => {
            const user = await actions.api.users.getUserByHandle({ handle });
            await add(user.id);
          }}
        />
        <Section title={say("bots.yours")} lead={say("bots.yoursHint")}>
          <Listed of={own} empty={say("bots.noneYours")}>
            {(one) => {
              const id = one.user?.id ?? "";
              return <Own key={id} userId={id} name={one.user?.displayName || (one.user?.handle ?? "")} handle={one.user?.handle ?? ""} there={ids.includes(id)} add={() => add(id)} />;
            }}
          </Listed>
        </Section>
      </Body>
    </>
  );
}

function Here({ userId }: { readonly userId: string }): ReactNode {
  const say = useSay();
  const { communityId } = useManaging();
  const name = useNameOf()(userId);
  const handle = useKnown((state) => state.users[userId]?.handle ?? "");
  return (
    <Line sign={<Avatar id={userId} />} title={name} hint={<bdi>@{handle}</bdi>}>
      <Button aria-label={say("bots.manageOne", { name })} onClick={() => go({ at: "manage", communityId, page: "members", item: userId })}>
        {say("bots.manage")}
      </Button>
    </Line>
  );
}

function AddByHandle({ add }: { readonly add: (handle: string) => Promise<void> }): ReactNode {
  const say = useSay();
  const [handle, setHandle] = useState("");
  const added = useChange(
    async () => {
      await add(handle.trim().replace(/^@/, ""));
      setHandle("");
    },
    { NOT_FOUND: "bots.noSuch" },
  );
  return (
    <Section title={say("bots.add")} lead={say("bots.addHint")}>
      <form className="flex flex-wrap items-end gap-2" onSubmit={added.submit}>
        <Field className="grow" label={say("bots.handle")} dir="ltr" required value={handle} error={added.fields["handle"]} onChange={(event) => setHandle(event.target.value)} />
        <Button type="submit" look="primary" className="min-h-10!" disabled={added.busy}>
          <BotIcon size={16} aria-hidden /> {say("bots.addDo")}
        </Button>
      </form>
      <Wrong>{added.error}</Wrong>
    </Section>
  );
}

interface OwnProps {
  readonly userId: string;
  readonly name: string;
  readonly handle: string;
  readonly there: boolean;
  readonly add: () => Promise<void>;
}

function Own({ userId, name, handle, there, add }: OwnProps): ReactNode {
  const say = useSay();
  const added = useChange(add);
  return (
    <Line sign={<Avatar id={userId} />} title={name} hint={added.error ?? <bdi>@{handle}</bdi>}>
      {there ? (
        <span className="text-13 text-muted">{say("bots.there")}</span>
      ) : (
        <Button aria-label={say("bots.addOne", { name })} disabled={added.busy} onClick={() => added.submit()}>
          {say("bots.addDo")}
        </Button>
      )}
    </Line>
  );
}
