import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type ReactNode, useCallback, useMemo } from "react";

import type { Ban } from "@creavio/client/community/v1/ban";
import { BanService } from "@creavio/client/community/v1/ban_service";
import { Permission } from "@creavio/client/options/v1/permission";
import type { Timeout } from "@creavio/client/rbac/v1/timeout";
import { SettingsHeader } from "@/settings/frame";
import { useListing } from "@/settings/listing";
import { Nothing, Section } from "@/settings/page";
import { useActions } from "@/ui/context";
import { whole } from "@/ui/dates";
import { Avatar, Button } from "@/ui/parts";

import { useManaging, useMay } from "./managing";
import type { PageProps } from "./page";
import { Body, Line, Listed, useChange, useNameOf } from "./parts";
import { useSay } from "./texts";
import { type Timeouts, useTimeouts } from "./timeouts";

/** Who cannot come back, and who can only read for a while. */
export function Bans({ list }: PageProps): ReactNode {
  const say = useSay();
  const bans = useMay(Permission.BAN_MEMBERS);
  const moderates = useMay(Permission.MODERATE_MEMBERS);
  const timeouts = useTimeouts(moderates);
  return (
    <>
      <SettingsHeader title={say("bans.title")} list={list} />
      <Body>
        {bans && <BanList />}
        {moderates && (
          <Section title={say("bans.timeouts")} lead={say("bans.timeoutsHint")}>
            {timeouts.until.size === 0 ? (
              <Nothing>{say("bans.noTimeouts")}</Nothing>
            ) : (
              <ul>
                {[...timeouts.until.values()].map((one) => (
                  <TimedOut key={one.userId} timeout={one} timeouts={timeouts} />
                ))}
              </ul>
            )}
          </Section>
        )}
      </Body>
    </>
  );
}

function BanList(): ReactNode {
  const say = useSay();
  const actions = useActions();
  const { communityId } = useManaging();
  const service = useMemo(() => actions.api.client.service(BanService), [actions]);
  const listing = useListing(
    useCallback(
      async (pageToken: string) => {
        const page = await service.listBans({ communityId, pageToken });
        actions.know(page.bans.flatMap((one) => [one.userId, one.creatorId]));
        return { items: page.bans, next: page.nextPageToken };
      },
      [service, communityId, actions],
    ),
  );
  return (
    <Section title={say("bans.bans")} lead={say("bans.bansHint")}>
      <Listed of={listing} empty={say("bans.none")}>
        {(one) => (
          <Banned
            key={one.userId}
            ban={one}
            lift={async () => {
              await service.deleteBan({ communityId, userId: one.userId });
              listing.change((all) => all.filter((other) => other !== one));
            }}
          />
        )}
      </Listed>
    </Section>
  );
}

function Banned({ ban, lift }: { readonly ban: Ban; readonly lift: () => Promise<void> }): ReactNode {
  const say = useSay();
  const nameOf = useNameOf();
  const lifted = useChange(lift);
  const name = nameOf(ban.userId);
  const said = say("bans.by", { name: nameOf(ban.creatorId), time: ban.createTime === undefined ? "" : whole(timestampDate(ban.createTime)) });
  return (
    <Line
      sign={<Avatar id={ban.userId} />}
      title={name}
      hint={lifted.error ?? (ban.reason === "" ? said : `${ban.reason} · ${said}`)}
    >
      <Button aria-label={say("bans.liftFor", { name })} disabled={lifted.busy} onClick={() => lifted.submit()}>
        {say("bans.lift")}
      </Button>
    </Line>
  );
}

function TimedOut({ timeout, timeouts }: { readonly timeout: Timeout; readonly timeouts: Timeouts }): ReactNode {
  const say = useSay();
  const name = useNameOf()(timeout.userId);
  const ended = useChange(() => timeouts.end(timeout.userId));
  const said = timeout.expireTime === undefined ? "" : say("bans.until", { time: whole(timestampDate(timeout.expireTime)) });
  return (
    <Line sign={<Avatar id={timeout.userId} />} title={name} hint={ended.error ?? (timeout.reason === "" ? said : `${timeout.reason} · ${said}`)}>
      <Button aria-label={say("bans.endFor", { name })} disabled={ended.busy} onClick={() => ended.submit()}>
        {say("care.endTimeout")}
      </Button>
    </Line>
  );
}
