import { type ReactNode, useState } from "react";

import type { PageProps } from "./page";
import { SettingsHeader } from "@/settings/frame";
import { SaveBar } from "@/settings/save-bar";
import { useActions } from "@/ui/context";
import { useMutation } from "@/ui/mutation";
import { Field } from "@/ui/parts";

import { useSay } from "./texts";

/** What a community is called, and what it is about. */
export function Overview({ community, list }: PageProps): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [draft, setDraft] = useState<{ name?: string; description?: string }>({});
  const name = draft.name ?? community.name;
  const description = draft.description ?? community.description;
  const save = useMutation(
    async () => {
      const changed = await actions.api.communities.updateCommunity({ communityId: community.id, ...draft, etag: community.etag });
      actions.heard({ case: "communityUpdated", value: { community: changed } as never });
      setDraft({});
    },
    { PERMISSION_DENIED: "overview.forbidden" },
    say,
  );
  return (
    <>
      <SettingsHeader title={say("overview.title")} list={list} />
      <form className="grid min-h-0 max-w-[44rem] content-start gap-4 overflow-y-auto p-5 pb-24" onSubmit={save.submit}>
        <Field
          label={say("overview.name")}
          value={name}
          maxLength={64}
          error={save.fields["name"]}
          onChange={(event) => setDraft({ ...draft, name: event.target.value })}
        />
        <Field
          label={say("overview.description")}
          value={description}
          maxLength={1024}
          error={save.fields["description"]}
          onChange={(event) => setDraft({ ...draft, description: event.target.value })}
        />
      </form>
      <SaveBar
        changed={name !== community.name || description !== community.description}
        busy={save.busy}
        error={save.error}
        onUndo={() => setDraft({})}
        onSave={() => save.submit()}
      />
    </>
  );
}
