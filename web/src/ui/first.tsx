import { ArrowRight } from "lucide-react";
import { type ReactNode, useCallback, useDeferredValue, useState } from "react";

import { type Community, CommunityOrder } from "@creavio/client/community/v1/community";
import { useSay } from "@/rooms/texts";
import { go } from "@/route";
import { useListing } from "@/settings/listing";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";

import { useActions } from "./context";
import { ChooseTemplate } from "./late";
import { useMutation } from "./mutation";
import { Button, Field, Tile, Wrong } from "./parts";

/** Where a newcomer begins: an invitation, places open to all, or one of one's own. */
export function First({ code }: { readonly code: string }): ReactNode {
  const say = useSay();
  const me = useKnown((state) => state.me);
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
        <Places />
        <Found />
      </div>
    </div>
  );
}

/** Places open to everyone here: those with most people first, or what fits some words. */
function Places(): ReactNode {
  const say = useSay();
  const actions = useActions();
  const mine = useKnown((state) => state.communities);
  const [query, setQuery] = useState("");
  const wanted = useDeferredValue(query.trim());
  const fetch = useCallback(
    async (pageToken: string) => {
      const order = wanted === "" ? CommunityOrder.MEMBERS : CommunityOrder.RELEVANCE;
      const page = await actions.api.communities.listPublicCommunities({ query: wanted, order, pageSize: 12, pageToken });
      return { items: page.communities, next: page.nextPageToken };
    },
    [actions, wanted],
  );
  const { items: places, error, more } = useListing(fetch);
  return (
    <section className="grid gap-3" aria-labelledby="places">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h2 id="places" className="grow font-display text-17 font-bold tracking-[-0.012em]">
          {say("first.places")}
        </h2>
        <input
          type="search"
          aria-label={say("first.search")}
          placeholder={say("first.search")}
          maxLength={100}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          className="min-h-9 w-full rounded-control bg-overlay px-3 shadow-[inset_0_0_0_1px_var(--line-strong)] focus:outline-2 focus:-outline-offset-1 focus:outline-focus mid:w-60"
        />
      </div>
      <Wrong>{error}</Wrong>
      {places?.length === 0 && <p className="text-muted">{say(wanted === "" ? "first.none" : "first.noneSuch", { query: wanted })}</p>}
      <ul className="grid gap-2.5 mid:grid-cols-2">
        {places?.map((one) => (
          <Open key={one.id} community={one} inside={one.id in mine} />
        ))}
      </ul>
      {more !== undefined && (
        <Button className="justify-self-center" onClick={more}>
          {say("first.more")}
        </Button>
      )}
    </section>
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
      <Tile id={community.id} />
      <span className="grid min-w-0 grow">
        <b className="truncate font-semibold">{community.name}</b>
        <span className="line-clamp-2 text-12 text-muted">{done.error ?? community.description}</span>
        <span className="truncate text-12 text-faint">
          {say(community.memberCount === 1 ? "first.memberOne" : "first.members", { count: community.memberCount })}
          {community.tags.map((tag) => ` · ${tag}`)}
        </span>
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
