import { Trash2 } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useState } from "react";

import { SlowModeService } from "@creavio/client/chat/v1/slow_mode_service";
import { type Channel, ChannelType } from "@creavio/client/community/v1/channel";
import type { Forum } from "@creavio/client/community/v1/forum";
import { Permission } from "@creavio/client/options/v1/permission";
import { go } from "@/route";
import { Section } from "@/settings/page";
import { Confirm } from "@/ui/confirm";
import { SaveBar } from "@/settings/save-bar";
import { Select } from "@/settings/select";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { Button, Field } from "@/ui/parts";
import { Sign } from "@/ui/sign";

import { InCategory } from "./channels";
import { WhyButton } from "./explain";
import { useExplaining } from "./explaining";
import { ForumFields } from "./forum";
import { useCategories, useManaging, useMay } from "./managing";
import { Overrides, useOverrides } from "./overrides";
import { BackToList, useChange, useCounted } from "./parts";
import { useSay } from "./texts";

interface Draft {
  readonly name?: string;
  readonly topic?: string;
  readonly categoryId?: string;
  readonly seconds?: number;
  readonly forum?: Forum;
}

const waits = [0, 5, 10, 30, 60, 300, 900, 3600, 21600] as const;

/** One channel: what it is called, how often people may write, and what is otherwise there. */
export function ChannelPage({ channel }: { readonly channel: Channel }): ReactNode {
  const say = useSay();
  const count = useCounted();
  const actions = useActions();
  const { communityId } = useManaging();
  const { changed: decidesAnew } = useExplaining();
  const categories = useCategories();
  const shapes = useMay(Permission.MANAGE_CHANNELS);
  const rules = useMay(Permission.MANAGE_ROLES);
  const me = useKnown((state) => state.me?.id ?? "");
  const [draft, setDraft] = useState<Draft>({});
  const [deleting, setDeleting] = useState(false);
  const overrides = useOverrides(channel.id);
  const slow = useSlowMode(channel.id);
  const value = { name: channel.name, topic: channel.topic, categoryId: channel.categoryId, seconds: slow.seconds ?? 0, forum: channel.forum, ...draft };
  const { name, topic, categoryId, forum } = draft;
  const fields = {
    ...(name !== undefined && name !== channel.name ? { name } : {}),
    ...(topic !== undefined && topic !== channel.topic ? { topic } : {}),
    ...(categoryId !== undefined && categoryId !== channel.categoryId ? { categoryId } : {}),
    ...(forum !== undefined ? { forum } : {}),
  };
  const waitsOtherwise = slow.seconds !== undefined && value.seconds !== slow.seconds;
  const changes = Object.keys(fields).length + (waitsOtherwise ? 1 : 0) + overrides.changes;
  const span = (seconds: number): string => {
    if (seconds === 0) return say("channels.slowOff");
    if (seconds < 60) return count("channels.seconds", seconds);
    return seconds < 3600 ? count("channels.minutes", seconds / 60) : count("channels.hours", seconds / 3600);
  };
  const save = useChange(async () => {
    if (Object.keys(fields).length > 0) {
      const saved = await actions.api.channels.updateChannel({ communityId, channelId: channel.id, ...fields, etag: channel.etag });
      actions.heard({ case: "channelUpdated", value: { channel: saved } as never });
    }
    if (waitsOtherwise) await slow.set(value.seconds);
    await overrides.save();
    setDraft({});
    decidesAnew();
  });
  const remove = useChange(async () => {
    await actions.api.channels.deleteChannel({ communityId, channelId: channel.id });
    go({ at: "manage", communityId, page: "channels", item: "" }, "replace");
    actions.heard({ case: "channelDeleted", value: { communityId, channelId: channel.id } as never });
  });
  return (
    <>
      <div className="min-h-0 grow overflow-y-auto px-4 pt-4.5 pb-24 mid:px-5 wide:px-6">
        <div className="mx-auto grid max-w-[44rem] gap-7">
          <div className="flex items-center gap-2">
            <BackToList to={{ at: "manage", communityId, page: "channels", item: "" }} />
            <span className="text-muted">
              <Sign channel={channel} />
            </span>
            <h2 dir="auto" className="min-w-0 grow truncate font-display text-20 font-bold tracking-[-0.015em]">
              {channel.name}
            </h2>
            <WhyButton question={{ userId: me, permission: Permission.SEND_MESSAGES, channelId: channel.id }} />
          </div>
          {shapes && (
            <form className="grid gap-4" onSubmit={save.submit}>
              <Field
                label={say("channels.name")}
                required
                maxLength={64}
                value={value.name}
                error={save.fields["name"]}
                onChange={(event) => setDraft({ ...draft, name: event.target.value })}
              />
              <Field
                label={say("channels.topic")}
                maxLength={1024}
                value={value.topic}
                error={save.fields["topic"]}
                onChange={(event) => setDraft({ ...draft, topic: event.target.value })}
              />
              {categories.length > 0 && <InCategory value={value.categoryId} onChange={(id) => setDraft({ ...draft, categoryId: id })} />}
              <Select
                label={say("channels.slow")}
                hint={say("channels.slowHint")}
                value={value.seconds}
                disabled={slow.seconds === undefined}
                options={[...new Set([...waits, value.seconds])].toSorted((a, b) => a - b).map((seconds) => ({ value: seconds, title: span(seconds) }))}
                onChange={(seconds) => setDraft({ ...draft, seconds })}
              />
              <button type="submit" hidden />
            </form>
          )}
          {shapes && channel.type === ChannelType.FORUM && value.forum !== undefined && (
            <ForumFields forum={value.forum} onChange={(changed) => setDraft({ ...draft, forum: changed })} />
          )}
          {rules && <Overrides of={overrides} channel={channel} />}
          {shapes && (
            <Section title={say("channels.deleteTitle")} lead={say("channels.deleteHint")}>
              <Button className="justify-self-start text-danger!" onClick={() => setDeleting(true)}>
                <Trash2 size={16} aria-hidden /> {say("channels.delete")}
              </Button>
            </Section>
          )}
        </div>
      </div>
      <SaveBar
        changed={changes > 0}
        title={count("roles.unsaved", changes)}
        what={say("channels.notice")}
        busy={save.busy}
        error={save.error}
        onUndo={() => {
          setDraft({});
          overrides.undo();
        }}
        onSave={() => save.submit()}
      />
      {deleting && (
        <Confirm
          title={say("channels.deleteSure", { name: channel.name })}
          lead={say("channels.deleteLead")}
          action={say("channels.delete")}
          typed={{ label: say("channels.typeName", { name: channel.name }), text: channel.name }}
          busy={remove.busy}
          error={remove.error}
          onDo={() => remove.submit()}
          onClose={() => setDeleting(false)}
        />
      )}
    </>
  );
}

/** How long people wait between two messages; undefined until that is known. */
function useSlowMode(channelId: string): { readonly seconds: number | undefined; readonly set: (seconds: number) => Promise<void> } {
  const { client } = useActions().api;
  const [seconds, setSeconds] = useState<number>();
  useEffect(() => {
    let left = false;
    client
      .service(SlowModeService)
      .getSlowMode({ channelId })
      .then(
        (mode) => left || setSeconds(mode.seconds),
        () => {},
      );
    return () => void (left = true);
  }, [client, channelId]);
  const set = useCallback(
    async (wanted: number) => setSeconds((await client.service(SlowModeService).setSlowMode({ channelId, seconds: wanted })).seconds),
    [client, channelId],
  );
  return { seconds, set };
}
