import { Hash, UserRound } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";

import { go, pathOf, type Place } from "@/route";
import { nameOf, nameOfConversation } from "@/store/names";
import { useParts } from "@/store/react";
import type { State } from "@/store/state";
import { useActions } from "@/ui/context";
import { Avatar, classes, Tile } from "@/ui/parts";

import { useSay } from "./texts";
import { allVisits, weight } from "./visits";

/** Somewhere to go, or somebody to write to; `key` is its id. */
export type Target = {
  readonly key: string;
  readonly title: string;
  readonly hint: string;
  readonly sign: ReactNode;
} & ({ readonly kind: "place" | "room"; readonly place: Place } | { readonly kind: "person" });

const most = 10;
/** Leads anywhere by a few letters: `#` to channels alone, `@` to people. */
export function Switcher({ onClose }: { readonly onClose: () => void }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const writeTo = (userId: string): void => void actions.writeTo(userId).then((conversationId) => go({ at: "direct", conversationId }), () => {});
  const choose = (target: Target): void => {
    onClose();
    if (target.kind === "person") writeTo(target.key);
    else go(target.place);
  };
  return <Chooser title={say("switch.title")} field={say("switch.field")} kinds={["place", "room", "person"]} onChoose={choose} onClose={onClose} />;
}

interface ChooserProps {
  readonly title: string;
  readonly field: string;
  /** What can be chosen. */
  readonly kinds: readonly Target["kind"][];
  readonly onChoose: (target: Target) => void;
  readonly onClose: () => void;
}

/** A choice of places, rooms and people by a few letters. */
export function Chooser({ title, field, kinds, onChoose, onClose }: ChooserProps): ReactNode {
  const say = useSay();
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  const [query, setQuery] = useState("");
  const [current, setCurrent] = useState(0);
  const state = useParts("communities", "channels", "conversations", "users", "me");
  useEffect(() => box.current?.showModal(), []);
  const found = useMemo(() => targets(state, query, say("switch.person")).filter((one) => kinds.includes(one.kind)), [state, query, say, kinds]);
  const chosen = Math.min(current, found.length - 1);
  const leave = (target: Target | undefined): void => {
    if (target !== undefined) onChoose(target);
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
      aria-label={title}
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
          aria-label={field}
          placeholder={field}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setCurrent(0);
          }}
          onKeyDown={pressed}
          className="min-h-12.5 w-full border-b border-line bg-transparent px-4 text-15 outline-none"
        />
        <ul id={id} role="listbox" aria-label={title} className="max-h-[50dvh] overflow-y-auto p-2">
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
function targets(state: Pick<State, "communities" | "channels" | "conversations" | "users" | "me">, query: string, person: string): readonly Target[] {
  const [, only, rest = ""] = /^([#@]?)\s*(.*)$/.exec(query) ?? [];
  const wanted = rest.trim().toLowerCase();
  const visits = allVisits();
  const found: (readonly [number, Target])[] = [];
  const offer = (target: Target): void => {
    const at = target.title.toLowerCase().indexOf(wanted);
    if (at === -1) return;
    const fit = wanted === "" ? 0 : at === 0 ? 2 : /[\s\-_.]/.test(target.title[at - 1] ?? "") ? 1 : 0.5;
    found.push([fit + (target.kind === "person" ? 0 : weight(visits[pathOf(target.place)])), target]);
  };
  if (only !== "@") {
    for (const { id, name } of Object.values(state.communities)) {
      const place = { at: "channel", communityId: id, channelId: "" } as const;
      const sign = <Tile id={id} className="size-6! rounded-[7px]!" />;
      if (only !== "#") offer({ kind: "place", key: id, title: name, hint: "", sign, place });
      for (const channel of state.channels[id] ?? []) {
        offer({ kind: "room", key: channel.id, title: channel.name, hint: name, sign: <Hash size={16} />, place: { ...place, channelId: channel.id } });
      }
    }
  }
  if (only !== "#") {
    const spoken = new Set<string>();
    for (const { id, memberIds, group } of Object.values(state.conversations)) {
      const [other = id] = memberIds.filter((one) => one !== state.me?.id);
      if (!group) spoken.add(other);
      const name = nameOfConversation(state, id);
      offer({ kind: "room", key: id, title: name, hint: "", sign: <Avatar id={other} size="s" />, place: { at: "direct", conversationId: id } });
    }
    // Everybody one knows of, once there is something to find them by.
    for (const user of wanted === "" && only !== "@" ? [] : Object.values(state.users)) {
      if (user.id === state.me?.id || spoken.has(user.id)) continue;
      offer({ kind: "person", key: user.id, title: nameOf(user), hint: `@${user.handle} · ${person}`, sign: <UserRound size={16} /> });
    }
  }
  return found
    .sort(([a], [b]) => b - a)
    .slice(0, most)
    .map(([, target]) => target);
}
