import { Archive, ArchiveRestore, Bell, BellOff, Lock, LockOpen, MoreHorizontal, Pencil, Pin, PinOff, Tag, Trash2, X } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useRef, useState } from "react";

import type { Message } from "@creavio/client/chat/v1/message";
import type { Thread } from "@creavio/client/chat/v1/thread";
import type { Forum } from "@creavio/client/community/v1/forum";
import { Permission } from "@creavio/client/options/v1/permission";
import { go, type Place } from "@/route";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { Confirm } from "@/ui/confirm";
import { useMutation } from "@/ui/mutation";
import { Avatar, Button, classes, Dialog, Field, IconButton, menuItem, Wrong } from "@/ui/parts";

import { Said } from "./references";
import { Room } from "./room";
import { Tags } from "./tags";
import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import { useRights, useWhere, WhereProvider } from "./where";

const PostTags = lazy(async () => ({ default: (await import("./post-tags")).PostTags }));

interface ThreadPanelProps {
  readonly communityId: string;
  readonly channelId: string;
  readonly threadId: string;
}

/** A thread beside its channel: the message it began at, and what was replied. Escape closes it. */
export function ThreadPanel({ communityId, channelId, threadId }: ThreadPanelProps): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const thread = useKnown((state) => state.threads[threadId]);
  const channel = useKnown((state) => state.channels[communityId]?.find((one) => one.id === channelId));
  const [gone, setGone] = useState(false);
  const panel = useRef<HTMLElement>(null);
  const where = useMemo(() => ({ roomId: threadId, communityId, channelId }), [threadId, communityId, channelId]);
  useEffect(() => {
    setGone(false);
    void doing.thread(threadId).catch(() => setGone(true));
    // Who opened it goes on in it, and Escape is heard.
    panel.current?.focus();
  }, [doing, threadId]);
  const close = (): void => {
    go({ at: "channel", communityId, channelId });
    requestAnimationFrame(() => document.getElementById(`stub-${threadId}`)?.focus());
  };
  return (
    <aside
      ref={panel}
      tabIndex={-1}
      aria-label={say("thread.title")}
      onKeyDown={(event) => event.key === "Escape" && !event.defaultPrevented && close()}
      className="flex min-h-0 w-96 shrink-0 flex-col bg-raised shadow-1 outline-none max-wide:w-86 max-mid:fixed max-mid:inset-0 max-mid:z-30 max-mid:w-auto mid:rounded-card"
    >
      <WhereProvider value={where}>
        <header className="flex min-h-13.5 shrink-0 items-center gap-2 border-b border-line ps-4 pe-2">
          <h2 className="min-w-0 truncate font-display text-17 font-bold tracking-[-0.012em]">
            <bdi>{thread?.name ?? say("thread.title")}</bdi>
          </h2>
          {channel !== undefined && <span className="shrink-0 truncate text-12 text-faint max-mid:hidden">{say("thread.in", { name: channel.name })}</span>}
          <span className="ms-auto flex shrink-0">
            {thread !== undefined && <ThreadMenu thread={thread} place={{ at: "channel", communityId, channelId }} />}
            <IconButton label={say("common.close")} onClick={close}>
              <X size={18} strokeWidth={1.75} aria-hidden />
            </IconButton>
          </span>
        </header>
        {gone ? (
          <p className="p-5 text-muted">{say("channel.gone")}</p>
        ) : (
          thread !== undefined && <Replies key={threadId} thread={thread} />
        )}
      </WhereProvider>
    </aside>
  );
}

function Replies({ thread }: { readonly thread: Thread }): ReactNode {
  const say = useSay();
  const where = useWhere();
  const may = useRights();
  const closed = thread.locked && !may(Permission.MANAGE_MESSAGES);
  return (
    <Room
      {...where}
      name={say("thread.here")}
      start={<Beginning thread={thread} />}
      pointed
      {...(closed ? { closed: <p className="m-3 rounded-card bg-sunken px-4 py-3 text-13 text-muted">{say("thread.locked")}</p> } : {})}
    />
  );
}

/** The message a thread began at, or that it began by itself. */
function Beginning({ thread }: { readonly thread: Thread }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const known = useKnown((state) => state.rooms[thread.channelId]?.messages.find((one) => one.id === thread.messageId));
  const [fetched, setFetched] = useState<Message>();
  const root = known ?? fetched;
  const { communityId } = useWhere();
  const author = useKnown((state) => state.users[root?.authorId ?? ""]);
  useEffect(() => {
    if (known !== undefined || thread.messageId === "") return;
    void actions.api.messages.getMessage({ channelId: thread.channelId, messageId: thread.messageId }).then(
      (message) => {
        actions.know([message.authorId]);
        setFetched(message);
      },
      () => {},
    );
  }, [actions, known, thread.channelId, thread.messageId]);
  const tags = useForum(thread)?.tags.filter((one) => thread.post?.tagIds.includes(one.id) === true) ?? [];
  const tagged = tags.length > 0 && (
    <span role="group" aria-label={say("post.tags")} className="flex flex-wrap gap-1.5 font-sans tracking-normal">
      <Tags tags={tags} />
    </span>
  );
  if (root === undefined) {
    return (
      <span className="grid gap-2 text-15">
        {say("thread.start")}
        {tagged}
      </span>
    );
  }
  const name = nameOf(author);
  return (
    <span className="grid gap-1.5 font-sans text-15 font-normal tracking-normal">
      <span className="flex items-center gap-2">
        <Avatar id={root.authorId} size="s" />
        <b className="font-semibold">{name}</b>
      </span>
      <span dir="auto" className="[overflow-wrap:anywhere]">
        <Said text={root.content} communityId={communityId} />
      </span>
      {tagged}
    </span>
  );
}

/** The forum a post stands in; undefined of another thread. */
function useForum(thread: Thread): Forum | undefined {
  const { communityId } = useWhere();
  const forum = useKnown((state) => state.channels[communityId]?.find((one) => one.id === thread.channelId)?.forum);
  return thread.post === undefined ? undefined : forum;
}

function ThreadMenu({ thread, place }: { readonly thread: Thread; readonly place: Place }): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const may = useRights();
  const meId = useKnown((state) => state.me?.id);
  const [asked, setAsked] = useState<"rename" | "tags" | "delete">();
  const [name, setName] = useState(thread.name);
  const quietly = (work: Promise<void>): void => void work.catch(() => {});
  const archived = thread.archiveTime !== undefined;
  const moderates = may(Permission.MANAGE_MESSAGES);
  const mine = thread.creatorId === meId;
  const forum = useForum(thread);
  // In a locked post it takes a moderator.
  const tags = forum !== undefined && forum.tags.length > 0 && (moderates || !thread.locked);
  const rename = useMutation(async () => {
    await doing.changeThread(thread.id, { name: name.trim() });
    setAsked(undefined);
  });
  const remove = useMutation(async () => {
    await doing.deleteThread(thread.id);
    go(place);
  });
  return (
    <>
      <IconButton label={say(thread.following ? "thread.unfollow" : "thread.follow")} onClick={() => quietly(doing.follow(thread.id, !thread.following))}>
        {thread.following ? <Bell size={18} strokeWidth={1.75} aria-hidden /> : <BellOff size={18} strokeWidth={1.75} aria-hidden />}
      </IconButton>
      {(mine || moderates) && (
        <DropdownMenu.Root modal={false}>
          <DropdownMenu.Trigger asChild>
            <IconButton label={say("common.more")}>
              <MoreHorizontal size={18} strokeWidth={1.75} aria-hidden />
            </IconButton>
          </DropdownMenu.Trigger>
          <DropdownMenu.Portal>
            <DropdownMenu.Content align="end" sideOffset={6} className="z-50 grid min-w-48 gap-px rounded-card bg-overlay p-1.5 shadow-2">
              <DropdownMenu.Item className={menuItem} onSelect={() => setTimeout(() => setAsked("rename"))}>
                <Pencil size={16} aria-hidden /> {say("thread.rename")}
              </DropdownMenu.Item>
              <DropdownMenu.Item className={menuItem} onSelect={() => quietly(doing.changeThread(thread.id, { archived: !archived }))}>
                {archived ? <ArchiveRestore size={16} aria-hidden /> : <Archive size={16} aria-hidden />} {say(archived ? "thread.unarchive" : "thread.archive")}
              </DropdownMenu.Item>
              {tags && (
                <DropdownMenu.Item className={menuItem} onSelect={() => setTimeout(() => setAsked("tags"))}>
                  <Tag size={16} aria-hidden /> {say("post.changeTags")}
                </DropdownMenu.Item>
              )}
              {moderates && (
                <DropdownMenu.Item className={menuItem} onSelect={() => quietly(doing.changeThread(thread.id, { locked: !thread.locked }))}>
                  {thread.locked ? <LockOpen size={16} aria-hidden /> : <Lock size={16} aria-hidden />} {say(thread.locked ? "thread.unlock" : "thread.lock")}
                </DropdownMenu.Item>
              )}
              {moderates && thread.post !== undefined && (
                <DropdownMenu.Item className={menuItem} onSelect={() => quietly(doing.pinPost(thread.id, thread.post?.pinned !== true))}>
                  {thread.post.pinned ? <PinOff size={16} aria-hidden /> : <Pin size={16} aria-hidden />} {say(thread.post.pinned ? "post.unpin" : "post.pin")}
                </DropdownMenu.Item>
              )}
              {moderates && (
                <DropdownMenu.Item className={classes(menuItem, "text-danger")} onSelect={() => setTimeout(() => setAsked("delete"))}>
                  <Trash2 size={16} aria-hidden /> {say("thread.delete")}
                </DropdownMenu.Item>
              )}
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      )}
      <Dialog title={say("thread.rename")} open={asked === "rename"} onClose={() => setAsked(undefined)}>
        <form className="grid gap-4" onSubmit={rename.submit}>
          <Field label={say("thread.name")} value={name} maxLength={100} required error={rename.fields["name"]} onChange={(event) => setName(event.target.value)} />
          <Wrong>{rename.error}</Wrong>
          <Button type="submit" look="primary" disabled={rename.busy || name.trim() === ""}>
            {say("common.save")}
          </Button>
        </form>
      </Dialog>
      {asked === "tags" && forum !== undefined && (
        <Suspense fallback={null}>
          <PostTags post={thread} forum={forum} onDone={() => setAsked(undefined)} />
        </Suspense>
      )}
      {asked === "delete" && (
        <Confirm
          title={say("thread.delete")}
          lead={say("thread.deleteSure", { name: thread.name })}
          action={say("common.delete")}
          busy={remove.busy}
          error={remove.error}
          onDo={remove.submit}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}
