import { ChevronRight, FolderPlus, GripVertical, Pencil, Plus, Trash2 } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";

import { type Channel, ChannelType } from "@creavio/client/community/v1/channel";
import type { Category } from "@creavio/client/community/v1/category";
import { Permission } from "@creavio/client/options/v1/permission";
import { figure } from "@/i18n/plural";
import { go, type Place } from "@/route";
import { Nothing } from "@/settings/page";
import { Confirm } from "@/ui/confirm";
import { SettingsHeader } from "@/settings/frame";
import { Choice, Switch } from "@/settings/parts";
import { type Drop, placed, stepped, useReorder } from "@/settings/reorder";
import { Select } from "@/settings/select";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { useNarrow } from "@/ui/narrow";
import { Button, classes, Dialog, Field, IconButton, Wrong } from "@/ui/parts";
import { Sign } from "@/ui/sign";

import { ChannelPage } from "./channel";
import { WithExplain } from "./explain";
import { droppedChannel, moveOf, type Shelf, shelvesOf, steppedChannel } from "./layout";
import { useCategories, useManaging, useMay } from "./managing";
import type { PageProps } from "./page";
import { Split, useBack, useChange, useCounted } from "./parts";
import { useSay } from "./texts";

const none: readonly Channel[] = [];

/** The channels of a community and the headings they stand under. */
export function Channels({ item, list }: PageProps): ReactNode {
  const say = useSay();
  const { communityId } = useManaging();
  const narrow = useNarrow();
  const channels = useKnown((state) => state.channels[communityId]) ?? none;
  const shapes = useMay(Permission.MANAGE_CHANNELS);
  const [making, setMaking] = useState<"channel" | "category">();
  const back = useBack("channels", item, list);
  const chosen = channels.find((one) => one.id === item);
  return (
    <>
      <SettingsHeader title={say("channels.title")} lead={say("channels.lead")} list={back}>
        {shapes && (
          <>
            <Button className="mid:min-h-8! mid:px-3!" aria-label={say("channels.newCategory")} onClick={() => setMaking("category")}>
              <FolderPlus size={16} aria-hidden /> <span className="max-mid:hidden">{say("channels.newCategory")}</span>
            </Button>
            <Button className="mid:min-h-8! mid:px-3!" aria-label={say("channels.new")} onClick={() => setMaking("channel")}>
              <Plus size={16} aria-hidden /> <span className="max-mid:hidden">{say("channels.new")}</span>
            </Button>
          </>
        )}
      </SettingsHeader>
      <WithExplain>
        <Split wide item={chosen?.id ?? ""} list={<ChannelOrder channels={channels} chosen={chosen?.id ?? ""} shapes={shapes} />}>
          {chosen !== undefined ? (
            <ChannelPage key={chosen.id} channel={chosen} />
          ) : (
            !narrow && <p className="m-auto max-w-72 p-6 text-center text-muted">{say(channels.length === 0 ? "channels.none" : "channels.choose")}</p>
          )}
        </Split>
      </WithExplain>
      <Dialog title={say("channels.new")} open={making === "channel"} onClose={() => setMaking(undefined)}>
        <NewChannel onDone={() => setMaking(undefined)} />
      </Dialog>
      <Dialog title={say("channels.newCategory")} open={making === "category"} onClose={() => setMaking(undefined)}>
        <CategoryName onDone={() => setMaking(undefined)} />
      </Dialog>
    </>
  );
}

interface ChannelOrderProps {
  readonly channels: readonly Channel[];
  readonly chosen: string;
  readonly shapes: boolean;
}

function ChannelOrder({ channels, chosen, shapes }: ChannelOrderProps): ReactNode {
  const say = useSay();
  const actions = useActions();
  const managing = useManaging();
  const { communityId } = managing;
  const categories = useCategories();
  const [wanted, setWanted] = useState<readonly Shelf[]>();
  const [told, setTold] = useState("");
  const waiting = useRef<(() => Promise<void>)[]>([]);
  const sending = useRef(false);
  const save = useChange(async () => {
    if (sending.current) return;
    sending.current = true;
    try {
      // In the order they were made: where one stands is said by the one before it.
      for (let next = waiting.current.shift(); next !== undefined; next = waiting.current.shift()) await next();
    } finally {
      waiting.current = [];
      sending.current = false;
      setWanted(undefined);
    }
  });
  const shelves = wanted ?? shelvesOf(channels, categories);
  const named = new Map([...channels, ...categories].map((one) => [one.id, one.name]));
  const show = (next: readonly Shelf[], id: string, send: () => Promise<void>): void => {
    if (next === shelves) return;
    waiting.current.push(send);
    setWanted(next);
    save.submit();
    const shelf = next.find((one) => one.channelIds.includes(id));
    const [at, count] = shelf === undefined ? [next.findIndex((one) => one.categoryId === id) - 1, next.length - 1] : [shelf.channelIds.indexOf(id), shelf.channelIds.length];
    const under = shelf === undefined || shelf.categoryId === "" ? "" : named.get(shelf.categoryId);
    setTold(
      say(under ? "channels.movedUnder" : "channels.moved", { name: named.get(id) ?? "", place: figure(at + 1), count: figure(count), under: under ?? "" }),
    );
  };
  const moveChannel = (next: readonly Shelf[], id: string): void =>
    show(next, id, async () => {
      const channel = await actions.api.channels.updateChannel({ communityId, channelId: id, ...moveOf(next, id) });
      actions.heard({ case: "channelUpdated", value: { channel } as never });
    });
  const moveCategory = (ids: readonly string[], id: string): void => {
    if (ids.every((one, at) => shelves[at + 1]?.categoryId === one)) return;
    const next = ["", ...ids].map((categoryId) => shelves.find((one) => one.categoryId === categoryId) as Shelf);
    show(next, id, async () => {
      const afterCategoryId = ids[ids.indexOf(id) - 1] ?? "";
      managing.putCategory(await managing.categories.updateCategory({ communityId, categoryId: id, afterCategoryId }));
    });
  };
  const headings = shelves.slice(1).map((one) => one.categoryId);
  const reorder = useReorder(
    (id, by) => (id.startsWith("ctg_") ? moveCategory(stepped(headings, id, by), id) : moveChannel(steppedChannel(shelves, id, by), id)),
    (id, to: Drop) => {
      if (!id.startsWith("ctg_")) moveChannel(droppedChannel(shelves, id, to), id);
      else if (to.id.startsWith("ctg_")) moveCategory(placed(headings, id, to), id);
    },
  );
  const rowLook = (id: string): string => {
    const over = reorder.over?.id === id ? reorder.over : undefined;
    return classes(
      reorder.carried === id && "opacity-50",
      over !== undefined && (over.after ? "shadow-[0_2px_0_0_var(--accent)]" : "shadow-[0_-2px_0_0_var(--accent)]"),
    );
  };
  const grip = (id: string): ReactNode => (
    <span
      aria-hidden
      {...reorder.grip(id)}
      className={classes("grid h-9.5 w-6 shrink-0 cursor-grab touch-none place-items-center text-faint max-mid:h-11 max-mid:w-9", !shapes && "invisible")}
    >
      <GripVertical size={14} strokeWidth={2} />
    </span>
  );
  const keys = shapes ? "Alt+ArrowUp Alt+ArrowDown" : undefined;
  return (
    <nav aria-label={say("channels.title")} aria-busy={wanted !== undefined}>
      {channels.length === 0 && <Nothing>{say("channels.none")}</Nothing>}
      {shelves.map((shelf) => {
        const category = categories.find((one) => one.id === shelf.categoryId);
        return (
          <section key={shelf.categoryId} aria-label={category?.name ?? say("channels.noCategory")}>
            {category !== undefined && (
              <div {...reorder.row(category.id)} className={classes("mt-3 flex items-center rounded-[9px]", rowLook(category.id))}>
                {grip(category.id)}
                <CategoryHeading category={category} shapes={shapes} count={shelf.channelIds.length} keys={keys} handle={shapes ? reorder.handle(category.id) : {}} />
              </div>
            )}
            <ul>
              {shelf.channelIds.map((id) => {
                const channel = channels.find((one) => one.id === id);
                if (channel === undefined) return null;
                const current = id === chosen;
                return (
                  <li
                    key={id}
                    {...reorder.row(id)}
                    className={classes("flex items-center rounded-[9px]", current ? "bg-accent-soft" : "hover:bg-hover", rowLook(id))}
                  >
                    {grip(id)}
                    <button
                      type="button"
                      aria-current={current ? "true" : undefined}
                      aria-keyshortcuts={keys}
                      {...(shapes ? reorder.handle(id) : {})}
                      onClick={() => go(at(communityId, id))}
                      className={classes("flex min-h-9.5 min-w-0 grow items-center gap-2.25 pe-2.5 text-start max-mid:min-h-11 max-mid:text-15", current && "font-semibold")}
                    >
                      <Sign channel={channel} />
                      <span dir="auto" className="min-w-0 grow truncate">
                        {channel.name}
                      </span>
                      <ChevronRight size={16} aria-hidden className="text-faint wide:hidden rtl:-scale-x-100" />
                    </button>
                  </li>
                );
              })}
            </ul>
          </section>
        );
      })}
      {shapes && channels.length + categories.length > 1 && <p className="px-2 py-3 text-12 leading-normal text-faint">{say("channels.drag")}</p>}
      <p role="status" className="sr-only">
        {told}
      </p>
      <Wrong>{save.error}</Wrong>
    </nav>
  );
}

function at(communityId: string, item: string): Place {
  return { at: "manage", communityId, page: "channels", item };
}

interface CategoryHeadingProps {
  readonly category: Category;
  readonly shapes: boolean;
  readonly count: number;
  readonly keys: string | undefined;
  readonly handle: object;
}

function CategoryHeading({ category, shapes, count, keys, handle }: CategoryHeadingProps): ReactNode {
  const say = useSay();
  const told = useCounted();
  const managing = useManaging();
  const { communityId } = managing;
  const [dialog, setDialog] = useState<"name" | "delete">();
  const remove = useChange(async () => {
    await managing.categories.deleteCategory({ communityId, categoryId: category.id });
    managing.dropCategory(category.id);
  });
  const { name } = category;
  return (
    <>
      <h2 dir="auto" className="min-w-0 grow truncate text-12 font-medium text-muted">
        {shapes ? (
          <button type="button" aria-keyshortcuts={keys} {...handle} onClick={() => setDialog("name")} className="min-h-8 w-full truncate rounded-small text-start">
            {name}
          </button>
        ) : (
          name
        )}
      </h2>
      {shapes && (
        <>
          <IconButton label={say("channels.renameCategory", { name })} onClick={() => setDialog("name")}>
            <Pencil size={14} aria-hidden />
          </IconButton>
          <IconButton label={say("channels.deleteCategory", { name })} onClick={() => setDialog("delete")}>
            <Trash2 size={14} aria-hidden />
          </IconButton>
        </>
      )}
      <Dialog title={say("channels.category")} open={dialog === "name"} onClose={() => setDialog(undefined)}>
        <CategoryName category={category} onDone={() => setDialog(undefined)} />
      </Dialog>
      {dialog === "delete" && (
        <Confirm
          title={say("channels.deleteCategorySure", { name })}
          lead={told("channels.deleteCategoryLead", count)}
          action={say("channels.deleteCategoryDo")}
          busy={remove.busy}
          error={remove.error}
          onDo={() => remove.submit()}
          onClose={() => setDialog(undefined)}
        />
      )}
    </>
  );
}

/** What a category is called: of one there is, or of a new one. */
function CategoryName({ category, onDone }: { readonly category?: Category; readonly onDone: () => void }): ReactNode {
  const say = useSay();
  const managing = useManaging();
  const { communityId } = managing;
  const [name, setName] = useState(category?.name ?? "");
  const [requestId] = useState(() => crypto.randomUUID());
  const save = useChange(async () => {
    managing.putCategory(
      category === undefined
        ? await managing.categories.createCategory({ communityId, name, requestId })
        : await managing.categories.updateCategory({ communityId, categoryId: category.id, name, etag: category.etag }),
    );
    onDone();
  });
  return (
    <form className="grid gap-4" onSubmit={save.submit}>
      <Field
        label={say("channels.categoryName")}
        required
        autoFocus
        maxLength={64}
        value={name}
        error={save.fields["name"]}
        onChange={(event) => setName(event.target.value)}
      />
      <Wrong>{save.error}</Wrong>
      <Button type="submit" look="primary" disabled={save.busy}>
        {say(category === undefined ? "channels.createCategory" : "channels.keep")}
      </Button>
    </form>
  );
}

/** Opens a channel of any kind. */
function NewChannel({ onDone }: { readonly onDone: () => void }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const { communityId } = useManaging();
  const categories = useCategories();
  const [draft, setDraft] = useState({ name: "", topic: "", categoryId: "", private: false });
  const [kind, setKind] = useState<"text" | "forum">("text");
  const [requestId] = useState(() => crypto.randomUUID());
  const save = useChange(async () => {
    const type = kind === "text" ? ChannelType.TEXT : ChannelType.FORUM;
    const channel = await actions.api.channels.createChannel({ communityId, ...draft, type, requestId });
    actions.heard({ case: "channelCreated", value: { channel } as never });
    onDone();
    go(at(communityId, channel.id));
  });
  return (
    <form className="grid gap-4" onSubmit={save.submit}>
      <Choice
        title={say("channels.kind")}
        value={kind}
        options={[
          { value: "text", title: say("channels.text"), hint: say("channels.textHint") },
          { value: "forum", title: say("channels.forum"), hint: say("channels.forumHint") },
        ]}
        onChange={setKind}
      />
      <Field
        label={say("channels.name")}
        required
        maxLength={64}
        value={draft.name}
        error={save.fields["name"]}
        onChange={(event) => setDraft({ ...draft, name: event.target.value })}
      />
      <Field
        label={say("channels.topic")}
        maxLength={1024}
        value={draft.topic}
        error={save.fields["topic"]}
        onChange={(event) => setDraft({ ...draft, topic: event.target.value })}
      />
      {categories.length > 0 && <InCategory value={draft.categoryId} onChange={(categoryId) => setDraft({ ...draft, categoryId })} />}
      <Switch
        label={say("channels.private")}
        hint={say("channels.privateHint")}
        checked={draft.private}
        onChange={(checked) => setDraft({ ...draft, private: checked })}
      />
      <Wrong>{save.error}</Wrong>
      <Button type="submit" look="primary" disabled={save.busy}>
        {say("channels.create")}
      </Button>
    </form>
  );
}

/** The heading a channel stands under. */
export function InCategory({ value, onChange }: { readonly value: string; readonly onChange: (categoryId: string) => void }): ReactNode {
  const say = useSay();
  const categories = useCategories();
  return (
    <Select
      label={say("channels.category")}
      value={value}
      options={[{ value: "", title: say("channels.noCategory") }, ...categories.map((one) => ({ value: one.id, title: one.name }))]}
      onChange={onChange}
    />
  );
}
