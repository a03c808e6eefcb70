import { type ReactNode, useState } from "react";

import { type Community, Visibility } from "@creavio/client/community/v1/community";
import { SettingsHeader } from "@/settings/frame";
import { Area, Choice } from "@/settings/parts";
import { SaveBar } from "@/settings/save-bar";
import { useActions } from "@/ui/context";
import { Field, Tile } from "@/ui/parts";

import type { PageProps } from "./page";
import { Body, useChange } from "./parts";
import { useSay } from "./texts";

type Draft = Partial<Pick<Community, "name" | "description" | "visibility" | "tags" | "language">>;

/** What a community is called, what it is about, and who may find it. */
export function Overview({ community, list }: PageProps): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [draft, setDraft] = useState<Draft>({});
  const { name, description, visibility, tags, language } = { ...community, ...draft };
  const changed = Object.entries(draft).filter(([field, value]) => String(community[field as keyof Draft]) !== String(value));
  const save = useChange(async () => {
    const saved = await actions.api.communities.updateCommunity({ communityId: community.id, ...Object.fromEntries(changed), updateMask: { paths: changed.map(([field]) => field) }, etag: community.etag });
    actions.heard({ case: "communityUpdated", value: { community: saved } as never });
    setDraft({});
  });
  const opened = draft.visibility !== undefined && draft.visibility !== community.visibility;
  return (
    <>
      <SettingsHeader title={say("overview.title")} list={list} />
      <Body>
        <div className="flex items-center gap-4">
          <Tile id={community.id} className="size-16! rounded-[20px]! text-26!" />
          <p className="text-13 text-muted">{say("overview.tile")}</p>
        </div>
        <form className="grid gap-4" onSubmit={save.submit}>
          <Field label={say("overview.name")} required value={name} maxLength={64} error={save.fields["name"]} onChange={(event) => setDraft({ ...draft, name: event.target.value })} />
          <Area label={say("overview.description")} hint={say("overview.descriptionHint")} value={description} maxLength={1024} onChange={(event) => setDraft({ ...draft, description: event.target.value })} />
          <Choice
            title={say("overview.visibility")}
            value={visibility === Visibility.PUBLIC ? "public" : "private"}
            options={[
              { value: "private", title: say("overview.private"), hint: say("overview.privateHint") },
              { value: "public", title: say("overview.public"), hint: say("overview.publicHint") },
            ]}
            onChange={(one) => setDraft({ ...draft, visibility: one === "public" ? Visibility.PUBLIC : Visibility.PRIVATE })}
          />
          <Field
            label={say("overview.tags")}
            hint={say("overview.tagsHint")}
            value={tags.join(",")}
            error={save.fields["tags"]}
            onChange={(event) => setDraft({ ...draft, tags: event.target.value === "" ? [] : event.target.value.split(",") })}
          />
          <Field
            label={say("overview.language")}
            hint={say("overview.languageHint")}
            value={language}
            maxLength={35}
            error={save.fields["language"]}
            onChange={(event) => setDraft({ ...draft, language: event.target.value })}
          />
          <button type="submit" hidden />
        </form>
      </Body>
      <SaveBar
        changed={changed.length > 0}
        what={opened ? say(visibility === Visibility.PUBLIC ? "overview.willOpen" : "overview.willClose") : say("overview.notice")}
        busy={save.busy}
        error={save.error}
        onUndo={() => setDraft({})}
        onSave={() => save.submit()}
      />
    </>
  );
}
