import { ArrowRight } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";

import type { Community } from "@creavio/client/community/v1/community";
import { useSay } from "@/rooms/texts";
import { go } from "@/route";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";

import { useActions } from "./context";
import { ChooseTemplate } from "./late";
import { useMutation } from "./mutation";
import { Button, Field, Tile } from "./parts";

/** Where a newcomer begins: an invitation, places open to all, or one of one's own. */
export function First({ code }: { readonly code: string }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const me = useKnown((state) => state.me);
  const [places, setPlaces] = useState<readonly Community[]>();
  const mine = useKnown((state) => state.communities);
  useEffect(() => {
    actions.api.communities.listPublicCommunities({ pageSize: 12 }).then(
      (page) => setPlaces(page.communities),
      () => setPlaces([]),
    );
  }, [actions]);
  return (
    <div className="min-h-0 grow overflow-y-auto">
      <div className="mx-auto grid max-w-[46rem] gap-7 px-5 py-8 mid:px-8 mid:py-12">
        <div className="grid gap-1.5">
          <h1 className="font-display text-26 font-bold tracking-[-0.025em] mid:text-36">
            {say("first.title", { name: nameOf(me) })}
          </h1>
          <p className="text-15 text-muted">{say("first.lead")}</p>
        </div>
        <Accept code={code} />
        <section className="grid gap-3" aria-labelledby="places">
          <h2 id="places" className="font-display text-17 font-bold tracking-[-0.012em]">
            {say("first.places")}
          </h2>
          {places !== undefined && places.length === 0 && <p className="text-muted">{say("first.none")}</p>}
          <ul className="grid gap-2.5 mid:grid-cols-2">
            {places?.map((one) => (
              <Open key={one.id} community={one} inside={one.id in mine} />
            ))}
          </ul>
        </section>
        <Found />
      </div>
    </div>
  );
}

function enter(community: Community): void {
  go({ at: "channel", communityId: community.id, channelId: "" });
}

function Accept({ code: given }: { readonly code: string }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [code, setCode] = useState(given);
  const done = useMutation(
    async () => enter(await actions.accept(code.trim().split("/").at(-1) ?? "")),
    { INVITE_NOT_FOUND: "first.inviteBad", BANNED: "first.banned" },
    say,
  );
  return (
    <form className="flex flex-wrap items-end gap-2 rounded-card bg-accent-soft p-4" onSubmit={done.submit}>
      <Field
        className="min-w-0 grow"
        label={say("first.invite")}
        placeholder={say("first.inviteField")}
        required
        value={code}
        error={done.error}
        onChange={(event) => setCode(event.target.value)}
      />
      <Button type="submit" look="primary" className="min-h-10!" disabled={done.busy}>
        {say("first.join")}
      </Button>
    </form>
  );
}

function Open({ community, inside }: { readonly community: Community; readonly inside: boolean }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const done = useMutation(async () => enter(inside ? community : await actions.join(community.id)));
  return (
    <li className="flex items-center gap-3 rounded-card bg-overlay p-3 shadow-1">
      <Tile id={community.id} name={community.name} />
      <span className="grid min-w-0 grow">
        <b className="truncate font-semibold">{community.name}</b>
        <span className="line-clamp-2 text-12 text-muted">{done.error ?? community.description}</span>
      </span>
      <Button aria-label={`${say("first.join")}: ${community.name}`} disabled={done.busy} onClick={() => done.submit()}>
        <ArrowRight size={16} aria-hidden className="rtl:-scale-x-100" />
      </Button>
    </li>
  );
}

function Found(): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [name, setName] = useState("");
  const [shaped, setShaped] = useState(false);
  const [template, setTemplate] = useState("");
  const done = useMutation(async () => enter(await actions.found(name, shaped ? template : "")), { NOT_FOUND: "first.noTemplate" }, say);
  return (
    <section className="grid gap-3" aria-labelledby="start">
      <div>
        <h2 id="start" className="font-display text-17 font-bold tracking-[-0.012em]">
          {say("first.start")}
        </h2>
        <p className="text-muted">{say("first.startLead")}</p>
      </div>
      <form className="flex flex-wrap items-end gap-2" onSubmit={done.submit}>
        <Field
          className="min-w-0 grow"
          label={say("first.name")}
          required
          maxLength={64}
          value={name}
          error={done.error}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" className="min-h-10!" disabled={done.busy}>
          {say("first.create")}
        </Button>
      </form>
      {shaped ? (
        <ChooseTemplate onChange={setTemplate} />
      ) : (
        <Button look="quiet" className="justify-self-start" onClick={() => setShaped(true)}>
          {say("first.shape")}
        </Button>
      )}
    </section>
  );
}
