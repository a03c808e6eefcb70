import { Plus, Smile } from "lucide-react";
import { type ReactNode, useCallback, useMemo, useState } from "react";

import type { Emoji } from "@creavio/client/community/v1/emoji";
import { EmojiService } from "@creavio/client/community/v1/emoji_service";
import { SettingsHeader } from "@/settings/frame";
import { useListing } from "@/settings/listing";
import { useActions } from "@/ui/context";
import { Button, Dialog, Field, Wrong } from "@/ui/parts";

import { useHeard, useManaging } from "./managing";
import type { PageProps } from "./page";
import { Body, Line, Listed, useChange, useNameOf } from "./parts";
import { useSay } from "./texts";

const told = ["emojiCreated", "emojiUpdated", "emojiDeleted", "refetch"] as const;

/** The emoji of a place, by their names. */
export function EmojiPage({ list }: PageProps): ReactNode {
  const say = useSay();
  const actions = useActions();
  const { communityId } = useManaging();
  const service = useMemo(() => actions.api.client.service(EmojiService), [actions]);
  const [editing, setEditing] = useState<Emoji | "new">();
  const listing = useListing(
    useCallback(async () => {
      const { emoji } = await service.listEmoji({ communityId });
      actions.know(emoji.map((one) => one.creatorId));
      return { items: emoji, next: "" };
    }, [service, communityId, actions]),
  );
  useHeard(told, listing.again);
  return (
    <>
      <SettingsHeader title={say("emoji.title")} lead={say("emoji.lead")} list={list}>
        <Button className="mid:min-h-8! mid:px-3!" onClick={() => setEditing("new")}>
          <Plus size={16} aria-hidden /> {say("emoji.new")}
        </Button>
      </SettingsHeader>
      <Body>
        <Listed of={listing} empty={say("emoji.none")}>
          {(one) => (
            <One
              key={one.id}
              emoji={one}
              onRename={() => setEditing(one)}
              remove={async () => {
                await service.deleteEmoji({ communityId, emojiId: one.id });
                listing.change((all) => all.filter((other) => other.id !== one.id));
              }}
            />
          )}
        </Listed>
      </Body>
      <Dialog title={say(editing === "new" ? "emoji.new" : "emoji.rename")} open={editing !== undefined} onClose={() => setEditing(undefined)}>
        {editing !== undefined && (
          <EmojiForm
            emoji={editing === "new" ? undefined : editing}
            save={async (name, fileId, requestId) => {
              if (editing === "new") await service.createEmoji({ communityId, name, fileId, requestId });
              else await service.updateEmoji({ communityId, emojiId: editing.id, name });
              listing.again();
              setEditing(undefined);
            }}
          />
        )}
      </Dialog>
    </>
  );
}

interface OneProps {
  readonly emoji: Emoji;
  readonly onRename: () => void;
  readonly remove: () => Promise<void>;
}

function One({ emoji, onRename, remove }: OneProps): ReactNode {
  const say = useSay();
  const nameOf = useNameOf();
  const removed = useChange(remove);
  return (
    <Line
      sign={<Smile size={18} strokeWidth={1.75} aria-hidden className="text-muted" />}
      title={<bdi dir="ltr">:{emoji.name}:</bdi>}
      hint={removed.error ?? say("emoji.by", { name: nameOf(emoji.creatorId) })}
    >
      <Button aria-label={say("emoji.renameOne", { name: emoji.name })} onClick={onRename}>
        {say("emoji.rename")}
      </Button>
      <Button look="quiet" aria-label={say("emoji.removeOne", { name: emoji.name })} disabled={removed.busy} onClick={() => removed.submit()}>
        {say("emoji.remove")}
      </Button>
    </Line>
  );
}

interface EmojiFormProps {
  readonly emoji: Emoji | undefined;
  readonly save: (name: string, fileId: string, requestId: string) => Promise<void>;
}

function EmojiForm({ emoji, save }: EmojiFormProps): ReactNode {
  const say = useSay();
  const [name, setName] = useState(emoji?.name ?? "");
  const [fileId, setFile] = useState("");
  const [requestId] = useState(() => crypto.randomUUID());
  const done = useChange(() => save(name, fileId.trim(), requestId));
  return (
    <form className="grid gap-4" onSubmit={done.submit}>
      <Field
        label={say("emoji.name")}
        hint={say("emoji.nameHint")}
        required
        dir="ltr"
        pattern="[a-z0-9_]{2,32}"
        value={name}
        error={done.fields["name"]}
        onChange={(event) => setName(event.target.value.toLowerCase())}
      />
      {emoji === undefined && (
        <Field
          label={say("emoji.file")}
          hint={say("emoji.fileHint")}
          required
          dir="ltr"
          value={fileId}
          error={done.fields["file_id"]}
          onChange={(event) => setFile(event.target.value)}
        />
      )}
      <Wrong>{done.error}</Wrong>
      <Button type="submit" look="primary" disabled={done.busy}>
        {say("emoji.save")}
      </Button>
    </form>
  );
}
