import { type ReactNode, useState } from "react";

import type { Thread } from "@creavio/client/chat/v1/thread";
import type { Forum } from "@creavio/client/community/v1/forum";
import { Permission } from "@creavio/client/options/v1/permission";
import { figure, listed } from "@/i18n/plural";
import { useMutation } from "@/ui/mutation";
import { Button, Dialog, Wrong } from "@/ui/parts";

import { most, TagChoice } from "./tags";
import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import { useRights } from "./where";

interface PostTagsProps {
  readonly post: Thread;
  readonly forum: Forum;
  readonly onDone: () => void;
}

/** What a post is tagged with, said anew. */
export function PostTags({ post, forum, onDone }: PostTagsProps): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const moderates = useRights()(Permission.MANAGE_MESSAGES);
  // A tag that the forum does not have any more can only be lost.
  const [chosen, setChosen] = useState<readonly string[]>(() => forum.tags.map((one) => one.id).filter((id) => post.post?.tagIds.includes(id) === true));
  const save = useMutation(
    async () => {
      await doing.tagPost(post.id, [...chosen]);
      onDone();
    },
    { TAG_REQUIRED: "post.tagRequired", NOT_FOUND: "channel.gone" },
    say,
  );
  const lacking = forum.tagRequired && chosen.length === 0;
  const fixed = moderates ? [] : forum.tags.filter((one) => one.moderated);
  return (
    <Dialog title={say("post.changeTags")} open onClose={onDone}>
      <form className="grid gap-4" onSubmit={save.submit}>
        <TagChoice tags={forum.tags} chosen={chosen} fixed={(one) => fixed.includes(one)} onChange={setChosen} />
        <p role="status" className="text-13 text-muted">
          {say(lacking ? "post.tagRequired" : chosen.length >= most ? "post.tagMost" : fixed.length > 0 ? "post.tagFixed" : "post.tagHint", {
            count: figure(most),
            tags: listed(fixed.map((one) => one.name)),
          })}
        </p>
        <Wrong>{save.error}</Wrong>
        <div className="flex justify-end gap-2">
          <Button onClick={onDone}>{say("common.cancel")}</Button>
          <Button type="submit" look="primary" disabled={save.busy || lacking}>
            {say("common.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
