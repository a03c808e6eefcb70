import { Hash, UserRound } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";

import { go, pathOf } from "@/route";
import { nameOf, nameOfConversation } from "@/store/names";
import { useKnown } from "@/store/react";
import type { State } from "@/store/state";
import { useActions } from "@/ui/context";
import { Avatar, classes, Tile } from "@/ui/parts";

import { useSay } from "./texts";
import { allVisits, weight } from "./visits";

interface Target {
  readonly key: string;
  readonly title: string;
  readonly hint: string;
  readonly sign: ReactNode;
  readonly go: () => void;
}

const most = 10;
/** Leads anywhere by a few letters: `#` to channels alone, `@` to people. */
export function Switcher({ onClose }: { readonly onClose: () => void }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  const [query, setQuery] = useState("");
  const [current, setCurrent] = useState(0);
  const state = useKnown((known) => known);
  useEffect(() => box.current?.showModal(), []);
  const writeTo = (userId: string): void => void actions.writeTo(userId).then((conversationId) => go({ at: "direct", conversationId }), () => {});
  const found = useMemo(() => targets(state, query, writeTo, say("switch.person")), [state, query, say]);
  const chosen = Math.min(current, found.length - 1);
  const leave = (target: Target | undefined): void => {
    if (target === undefined) return;
    onClose();
    target.go();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (found.length > 0) setCurrent((chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      leave(found[chosen]);
    }
  };
  return (
    <dialog
      ref={box}
      aria-label={say("switch.title")}
      onClose={onClose}
      onClick={(event) => event.target === box.current && onClose()}
      className="mx-auto mt-[12dvh] w-[min(35rem,calc(100vw-1rem))] overflow-hidden rounded-dialog bg-overlay text-text shadow-3 backdrop:bg-scrim"
    >
      <div>
        <input
          autoFocus
          type="text"
          role="combobox"
          aria-expanded
          aria-controls={id}
          {...(found.length === 0 ? {} : { "aria-activedescendant": `${id}-${chosen}` })}
          aria-label={say("switch.field")}
          placeholder={say("switch.field")}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setCurrent(0);
          }}
          onKeyDown={pressed}
          className="min-h-12.5 w-full border-b border-line bg-transparent px-4 text-15 outline-none"
        />
        <ul id={id} role="listbox" aria-label={say("switch.title")} className="max-h-[50dvh] overflow-y-auto p-2">
          {found.map((one, at) => (
            <li
              key={one.key}
              id={`${id}-${at}`}
              role="option"
              aria-selected={at === chosen}
              onClick={() => leave(one)}
              className={classes("flex min-h-10 cursor-pointer items-center gap-2.5 rounded-control px-2.5 max-mid:min-h-11", at === chosen ? "bg-accent-soft" : "hover:bg-hover")}
            >
              <span aria-hidden className="grid size-6 shrink-0 place-items-center text-faint">
                {one.sign}
              </span>
              <Matched title={one.title} query={query.replace(/^[#@]/, "").trim()} />
              <bdi className={classes("min-w-0 truncate text-12", at === chosen ? "text-muted" : "text-faint")}>{one.hint}</bdi>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p className="px-4 pb-4 text-muted">{say("switch.none")}</p>}
        <p aria-hidden className="flex gap-4 border-t border-line px-4.5 py-2 text-12 text-faint max-mid:hidden">
          <span>↑↓ {say("switch.move")}</span>
          <span>↵ {say("switch.open")}</span>
          <span>Esc {say("common.close")}</span>
        </p>
      </div>
    </dialog>
  );
}

function Matched({ title, query }: { readonly title: string; readonly query: string }): ReactNode {
  const at = query === "" ? -1 : title.toLowerCase().indexOf(query.toLowerCase());
  return (
    <bdi className="min-w-0 truncate">
      {at === -1 ? (
        title
      ) : (
        <>
          {title.slice(0, at)}
          <b className="font-bold">{title.slice(at, at + query.length)}</b>
          {title.slice(at + query.length)}
        </>
      )}
    </bdi>
  );
}

/** Where one can go, what fits the letters and is gone to most first. */
export function targets(state: State, query: string, writeTo: (userId: string) => void, person: string): readonly Target[] {
  const [, only, rest = ""] = /^([#@]?)\s*(.*)$/.exec(query) ?? [];
  const wanted = rest.trim().toLowerCase();
  const visits = allVisits();
  const found: (readonly [number, Target])[] = [];
  const offer = (title: string, path: string, target: Omit<Target, "title">): void => {
    const at = title.toLowerCase().indexOf(wanted);
    if (at === -1) return;
    const fit = wanted === "" ? 0 : at === 0 ? 2 : /[\s\-_.]/.test(title[at - 1] ?? "") ? 1 : 0.5;
    found.push([fit + weight(visits[path]), { ...target, title }]);
  };
  if (only !== "@") {
    for (const community of Object.values(state.communities)) {
      const place = { at: "channel", communityId: community.id, channelId: "" } as const;
      if (only !== "#") offer(community.name, pathOf(place), { key: community.id, hint: "", sign: <Tile id={community.id} name={community.name} className="size-6! rounded-[7px]! text-12!" />, go: () => go(place) });
      for (const channel of state.channels[community.id] ?? []) {
        const there = { ...place, channelId: channel.id };
        offer(channel.name, pathOf(there), { key: channel.id, hint: community.name, sign: <Hash size={16} />, go: () => go(there) });
      }
    }
  }
  if (only !== "#") {
    const spoken = new Set<string>();
    for (const conversation of Object.values(state.conversations)) {
      const place = { at: "direct", conversationId: conversation.id } as const;
      const [other = conversation.id] = conversation.memberIds.filter((one) => one !== state.me?.id);
      if (!conversation.group) spoken.add(other);
      const name = nameOfConversation(state, conversation.id);
      offer(name, pathOf(place), { key: conversation.id, hint: "", sign: <Avatar id={other} name={name} size="s" />, go: () => go(place) });
    }
    // Everybody one knows of, once there is something to find them by.
    for (const user of wanted === "" && only !== "@" ? [] : Object.values(state.users)) {
      if (user.id === state.me?.id || spoken.has(user.id)) continue;
      const name = nameOf(user);
      offer(name, "", { key: user.id, hint: `@${user.handle} · ${person}`, sign: <UserRound size={16} />, go: () => writeTo(user.id) });
    }
  }
  return found
    .sort(([a], [b]) => b - a)
    .slice(0, most)
    .map(([, target]) => target);
}
