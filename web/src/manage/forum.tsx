import { create } from "@bufbuild/protobuf";
import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import type { ReactNode } from "react";

import { type Forum, ForumSort, type ForumTag, ForumTagSchema } from "@creavio/client/community/v1/forum";
import { Section } from "@/settings/page";
import { Area, Choice, Switch } from "@/settings/parts";
import { stepped } from "@/settings/reorder";
import { Button, IconButton } from "@/ui/parts";

import { useSay } from "./texts";

const most = 20;

/** What holds for the posts of a forum. */
export function ForumFields({ forum, onChange }: { readonly forum: Forum; readonly onChange: (forum: Forum) => void }): ReactNode {
  const say = useSay();
  const { tags } = forum;
  const put = (at: number, change: Partial<ForumTag>): void => onChange({ ...forum, tags: tags.map((one, here) => (here === at ? { ...one, ...change } : one)) });
  const move = (at: number, by: -1 | 1): void => {
    const order = stepped(tags.map((_, here) => String(here)), String(at), by);
    onChange({ ...forum, tags: order.map((here) => tags[Number(here)] as ForumTag) });
  };
  return (
    <Section title={say("forum.title")}>
      <Area label={say("forum.guidelines")} maxLength={2000} value={forum.guidelines} onChange={(event) => onChange({ ...forum, guidelines: event.target.value })} />
      <Choice
        title={say("forum.sort")}
        value={forum.defaultSort === ForumSort.NEWEST ? "newest" : "activity"}
        options={[
          { value: "activity", title: say("forum.activity") },
          { value: "newest", title: say("forum.newest") },
        ]}
        onChange={(sort) => onChange({ ...forum, defaultSort: sort === "newest" ? ForumSort.NEWEST : ForumSort.ACTIVITY })}
      />
      <h3 className="mt-2 text-13 font-medium">{say("forum.tags")}</h3>
      <ul className="grid gap-2">
        {tags.map((tag, at) => (
          <li key={tag.id || `new ${at}`} className="flex flex-wrap items-center gap-1.5 rounded-card bg-sunken p-2">
            <input
              aria-label={say("forum.tagEmoji", { number: at + 1 })}
              value={tag.emoji}
              maxLength={32}
              placeholder="🌱"
              onChange={(event) => put(at, { emoji: event.target.value })}
              className="min-h-9 w-12 rounded-control bg-overlay px-2 text-center shadow-[inset_0_0_0_1px_var(--line-strong)]"
            />
            <input
              aria-label={say("forum.tagName", { number: at + 1 })}
              value={tag.name}
              required
              maxLength={32}
              onChange={(event) => put(at, { name: event.target.value })}
              className="min-h-9 min-w-0 grow basis-28 rounded-control bg-overlay px-2.5 shadow-[inset_0_0_0_1px_var(--line-strong)]"
            />
            <label className="flex min-h-9 items-center gap-2 px-1 text-13 text-muted">
              <input type="checkbox" className="size-4 accent-accent" checked={tag.moderated} onChange={(event) => put(at, { moderated: event.target.checked })} />
              {say("forum.moderated")}
            </label>
            <span className="ms-auto flex">
              <IconButton label={say("forum.tagUp", { name: tag.name })} disabled={at === 0} className="disabled:opacity-40" onClick={() => move(at, -1)}>
                <ArrowUp size={16} aria-hidden />
              </IconButton>
              <IconButton label={say("forum.tagDown", { name: tag.name })} disabled={at === tags.length - 1} className="disabled:opacity-40" onClick={() => move(at, 1)}>
                <ArrowDown size={16} aria-hidden />
              </IconButton>
              <IconButton label={say("forum.tagRemove", { name: tag.name })} onClick={() => onChange({ ...forum, tags: tags.filter((one) => one !== tag) })}>
                <Trash2 size={16} aria-hidden />
              </IconButton>
            </span>
          </li>
        ))}
      </ul>
      {tags.length < most && (
        <Button className="justify-self-start" onClick={() => onChange({ ...forum, tags: [...tags, create(ForumTagSchema, {})] })}>
          <Plus size={16} aria-hidden /> {say("forum.addTag")}
        </Button>
      )}
      {tags.length > 0 && (
        <Switch label={say("forum.required")} checked={forum.tagRequired} onChange={(tagRequired) => onChange({ ...forum, tagRequired })} />
      )}
    </Section>
  );
}
