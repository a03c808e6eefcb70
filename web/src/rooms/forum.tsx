import { timestampDate } from "@bufbuild/protobuf/wkt";
import { MessagesSquare, PenLine, Pin } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";

import type { Channel } from "@creavio/client/community/v1/channel";
import { type ForumTag, ForumSort } from "@creavio/client/community/v1/forum";
import { Permission } from "@creavio/client/options/v1/permission";
import { go } from "@/route";
import { useKnown } from "@/store/react";
import { whole } from "@/ui/dates";
import { useMutation } from "@/ui/mutation";
import { Avatar, Button, classes, Dialog, Field, Mark, Wrong } from "@/ui/parts";

import { useNameOfAuthor } from "./author";
import { TagButton, TagChoice, Tags } from "./tags";
import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import { useAskedRights, useRights, WhereProvider } from "./where";
import { asWritten } from "./written";

interface ForumProps {
  readonly channel: Channel;
  /** The post that is open; empty for none. */
  readonly current: string;
}

/** A forum: its posts, by their tags, and a way to write one. */
export function Forum({ channel, current }: ForumProps): ReactNode {
  const where = useMemo(() => ({ roomId: channel.id, communityId: channel.communityId, channelId: channel.id }), [channel.id, channel.communityId]);
  useAskedRights(where);
  return (
    <WhereProvider value={where}>
      <Posts channel={channel} current={current} />
    </WhereProvider>
  );
}

function Posts({ channel, current }: ForumProps): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const may = useRights();
  const threads = useKnown((state) => state.threads);
  const [sort, setSort] = useState(channel.forum?.defaultSort === ForumSort.NEWEST ? ForumSort.NEWEST : ForumSort.ACTIVITY);
  const [tag, setTag] = useState("");
  const [listed, setListed] = useState<{ readonly ids: readonly string[]; readonly next: string }>();
  const [writing, setWriting] = useState(false);
  const tags = channel.forum?.tags ?? [];
  // A post of somebody else's appears when the stream tells of it.
  const begun = useKnown((state) => Object.values(state.threads).filter((one) => one.channelId === channel.id).length);
  useEffect(() => {
    let over = false;
    const tagIds = tag === "" ? [] : [tag];
    void doing.posts(channel.id, { sort, tagIds, archived: false, pageToken: "" }).then(
      ({ posts, next }) => over || setListed({ ids: posts.map((one) => one.id), next }),
      () => over || setListed({ ids: [], next: "" }),
    );
    return () => {
      over = true;
    };
  }, [doing, channel.id, sort, tag, begun]);
  const more = useMutation(async () => {
    if (listed === undefined) return;
    const { posts, next } = await doing.posts(channel.id, { sort, tagIds: tag === "" ? [] : [tag], archived: false, pageToken: listed.next });
    setListed({ ids: [...listed.ids, ...posts.map((one) => one.id)], next });
  });
  return (
    <div className="min-h-0 grow overflow-y-auto">
      <div className="mx-auto grid max-w-[52rem] gap-4 p-3.5 mid:p-5">
        <div className="flex flex-wrap items-center gap-2">
          {may(Permission.SEND_MESSAGES) && (
            <Button look="primary" onClick={() => setWriting(true)}>
              <PenLine size={16} aria-hidden /> {say("post.new")}
            </Button>
          )}
          <select
            aria-label={say("post.latest")}
            value={sort}
            onChange={(event) => setSort(Number(event.target.value))}
            className="ms-auto min-h-9 rounded-control bg-sunken px-2"
          >
            <option value={ForumSort.ACTIVITY}>{say("post.latest")}</option>
            <option value={ForumSort.NEWEST}>{say("post.newest")}</option>
          </select>
        </div>
        {tags.length > 0 && (
          <div className="flex flex-wrap gap-1.5" role="group" aria-label={say("post.tags")}>
            <TagButton pressed={tag === ""} onPress={() => setTag("")}>
              {say("post.allTags")}
            </TagButton>
            {tags.map((one) => (
              <TagButton key={one.id} pressed={tag === one.id} onPress={() => setTag(one.id)}>
                {one.emoji} {one.name}
              </TagButton>
            ))}
          </div>
        )}
        {listed?.ids.length === 0 && (
          <div className="grid justify-items-center gap-3 py-12 text-center text-muted">
            <Mark size={56} className="opacity-60" />
            <p>{say(tag === "" ? "post.none" : "post.noneTagged")}</p>
          </div>
        )}
        <ul className="grid gap-2">
          {listed?.ids.map((id) => {
            const post = threads[id];
            // One that has other tags by now is not among those that were asked for.
            return post === undefined || (tag !== "" && post.post?.tagIds.includes(tag) !== true) ? null : (
              <li key={id}>
                <button
                  type="button"
                  id={`stub-${id}`}
                  aria-current={id === current ? "true" : undefined}
                  onClick={() => go({ at: "channel", communityId: channel.communityId, channelId: channel.id, threadId: id })}
                  className={classes(
                    "grid w-full gap-1.5 rounded-card px-4 py-3 text-start shadow-[inset_0_0_0_1px_var(--line)]",
                    id === current ? "bg-accent-soft" : "hover:bg-row-hover",
                  )}
                >
                  <span className="flex items-center gap-2">
                    {post.post?.pinned === true && <Pin size={14} strokeWidth={2} aria-label={say("message.pinned")} className="shrink-0 text-faint" />}
                    <bdi className="min-w-0 truncate text-15 font-semibold">{post.name}</bdi>
                  </span>
                  <PostFoot creatorId={post.creatorId} replies={Number(post.replyCount)} time={post.lastReplyTime ?? post.createTime}>
                    {tags.filter((one) => post.post?.tagIds.includes(one.id) === true)}
                  </PostFoot>
                </button>
              </li>
            );
          })}
        </ul>
        {listed !== undefined && listed.next !== "" && (
          <Button className="justify-self-center" disabled={more.busy} onClick={() => more.submit()}>
            {say("message.all")}
          </Button>
        )}
      </div>
      <Dialog title={say("post.new")} open={writing} onClose={() => setWriting(false)}>
        <NewPost channel={channel} />
      </Dialog>
    </div>
  );
}

interface PostFootProps {
  readonly creatorId: string;
  readonly replies: number;
  readonly time: Parameters<typeof timestampDate>[0] | undefined;
  readonly children: readonly ForumTag[];
}

function PostFoot({ creatorId, replies, time, children: tags }: PostFootProps): ReactNode {
  const name = useNameOfAuthor(creatorId);
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1 text-12 text-muted">
      <span className="flex min-w-0 items-center gap-1.5">
        <Avatar id={creatorId} size="s" /> <bdi className="truncate">{name}</bdi>
      </span>
      <span className="flex items-center gap-1 tabular-nums">
        <MessagesSquare size={14} strokeWidth={2} aria-hidden /> {replies}
      </span>
      {time !== undefined && <time>{whole(timestampDate(time))}</time>}
      <Tags tags={tags} />
    </span>
  );
}

function NewPost({ channel }: { readonly channel: Channel }): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const may = useRights();
  const [name, setName] = useState("");
  const [content, setContent] = useState("");
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const tags = (channel.forum?.tags ?? []).filter((one) => !one.moderated || may(Permission.MANAGE_MESSAGES));
  const publish = useMutation(async () => {
    const post = await doing.post(channel.id, name.trim(), asWritten(content.trim(), channel.id), [...chosen]);
    go({ at: "channel", communityId: channel.communityId, channelId: channel.id, threadId: post.id });
  });
  const lacking = channel.forum?.tagRequired === true && tags.length > 0 && chosen.length === 0;
  return (
    <form className="grid gap-4" onSubmit={publish.submit}>
      {channel.forum !== undefined && channel.forum.guidelines !== "" && (
        <div className="grid gap-1 rounded-control bg-sunken p-3 text-13">
          <b>{say("post.guidelines")}</b>
          <p dir="auto" className="whitespace-pre-wrap text-muted">
            {channel.forum.guidelines}
          </p>
        </div>
      )}
      <Field label={say("post.title")} value={name} maxLength={100} required autoFocus error={publish.fields["name"]} onChange={(event) => setName(event.target.value)} />
      <label className="grid gap-1.5 text-13 font-medium">
        {say("post.content")}
        <textarea
          dir="auto"
          required
          maxLength={4000}
          rows={6}
          value={content}
          onChange={(event) => setContent(event.target.value)}
          className="rounded-control bg-overlay px-3 py-2 text-15 font-normal shadow-[inset_0_0_0_1px_var(--line-strong)] focus:outline-2 focus:-outline-offset-1 focus:outline-focus"
        />
      </label>
      {tags.length > 0 && <TagChoice tags={tags} chosen={chosen} onChange={setChosen} />}
      <Wrong>{publish.error}</Wrong>
      <Button type="submit" look="primary" disabled={publish.busy || name.trim() === "" || content.trim() === "" || lacking}>
        {say("post.publish")}
      </Button>
    </form>
  );
}
