import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Check, Copy, Plus, Ticket } from "lucide-react";
import { type ReactNode, useCallback, useState } from "react";

import type { Invite } from "@creavio/client/community/v1/invite";
import { Permission } from "@creavio/client/options/v1/permission";
import { figure } from "@/i18n/plural";
import { SettingsHeader } from "@/settings/frame";
import { useListing } from "@/settings/listing";
import { Select } from "@/settings/select";
import { useActions } from "@/ui/context";
import { whole } from "@/ui/dates";
import { Button, Dialog, Field, IconButton, Wrong } from "@/ui/parts";

import { useManaging, useMay } from "./managing";
import type { PageProps } from "./page";
import { Body, Line, Listed, useChange, useNameOf } from "./parts";
import { useSay } from "./texts";

/** The links that lead in: how often they were used, and when they end. */
export function Invites({ list }: PageProps): ReactNode {
  const say = useSay();
  const actions = useActions();
  const { communityId } = useManaging();
  const creates = useMay(Permission.CREATE_INVITES);
  const [making, setMaking] = useState(false);
  const listing = useListing(
    useCallback(
      async (pageToken: string) => {
        const page = await actions.api.invites.listInvites({ communityId, pageToken });
        actions.know(page.invites.map((one) => one.creatorId));
        return { items: page.invites, next: page.nextPageToken };
      },
      [actions, communityId],
    ),
  );
  return (
    <>
      <SettingsHeader title={say("invites.title")} lead={say("invites.lead")} list={list}>
        {creates && (
          <Button className="mid:min-h-8! mid:px-3!" onClick={() => setMaking(true)}>
            <Plus size={16} aria-hidden /> {say("invites.new")}
          </Button>
        )}
      </SettingsHeader>
      <Body>
        <Listed of={listing} empty={say("invites.none")}>
          {(one) => (
            <One
              key={one.code}
              invite={one}
              revoke={async () => {
                await actions.api.invites.revokeInvite({ communityId, code: one.code });
                listing.change((all) => all.filter((other) => other.code !== one.code));
              }}
            />
          )}
        </Listed>
      </Body>
      <Dialog title={say("invites.new")} open={making} onClose={() => setMaking(false)}>
        <NewInvite
          onDone={(invite) => {
            listing.change((all) => [invite, ...all]);
            setMaking(false);
          }}
        />
      </Dialog>
    </>
  );
}

function One({ invite, revoke }: { readonly invite: Invite; readonly revoke: () => Promise<void> }): ReactNode {
  const say = useSay();
  const nameOf = useNameOf();
  const revoked = useChange(revoke);
  const [copied, setCopied] = useState(false);
  const link = `${location.origin}/invite/${invite.code}`;
  const uses =
    invite.maxUses === 0
      ? say("invites.uses", { uses: figure(invite.uses) })
      : say("invites.usesOf", { uses: figure(invite.uses), most: figure(invite.maxUses) });
  const ends = invite.expireTime === undefined ? "" : say("invites.ends", { time: whole(timestampDate(invite.expireTime)) });
  const by = say("invites.by", { name: nameOf(invite.creatorId) });
  return (
    <Line
      sign={<Ticket size={18} strokeWidth={1.75} aria-hidden className="text-muted" />}
      title={
        <bdi dir="ltr" className="font-mono text-13">
          {invite.code}
        </bdi>
      }
      hint={revoked.error ?? [uses, ends, by].join(" · ")}
    >
      <IconButton label={say(copied ? "invites.copied" : "invites.copy", { code: invite.code })} onClick={() => void navigator.clipboard.writeText(link).then(() => setCopied(true))}>
        {copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
      </IconButton>
      <Button aria-label={say("invites.revokeOne", { code: invite.code })} disabled={revoked.busy} onClick={() => revoked.submit()}>
        {say("invites.revoke")}
      </Button>
    </Line>
  );
}

const lives = [3600, 86_400, 604_800, 2_592_000] as const;
const liveNames = ["care.hour", "care.day", "care.week", "invites.month"] as const;

function NewInvite({ onDone }: { readonly onDone: (invite: Invite) => void }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const { communityId } = useManaging();
  const [lifetimeSeconds, setLifetime] = useState<number>(604_800);
  const [most, setMost] = useState("");
  const [requestId] = useState(() => crypto.randomUUID());
  const made = useChange(async () =>
    onDone(await actions.api.invites.createInvite({ communityId, lifetimeSeconds, maxUses: Number(most), requestId })),
  );
  return (
    <form className="grid gap-4" onSubmit={made.submit}>
      <Select
        label={say("invites.lifetime")}
        value={lifetimeSeconds}
        options={lives.map((one, at) => ({ value: one, title: say(liveNames[at] ?? "care.week") }))}
        onChange={setLifetime}
      />
      <Field
        label={say("invites.most")}
        hint={say("invites.mostHint")}
        type="number"
        inputMode="numeric"
        min={0}
        max={1000}
        value={most}
        error={made.fields["max_uses"]}
        onChange={(event) => setMost(event.target.value)}
      />
      <Wrong>{made.error}</Wrong>
      <Button type="submit" look="primary" disabled={made.busy}>
        {say("invites.create")}
      </Button>
    </form>
  );
}
