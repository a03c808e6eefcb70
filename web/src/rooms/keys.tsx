import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";

import { go, pathOf, type Place, placeOf } from "@/route";
import { store } from "@/store/store";
import { Dialog } from "@/ui/parts";

import { useSay } from "./texts";
import { visited } from "./visits";

const Switcher = lazy(async () => ({ default: (await import("./switcher")).Switcher }));
const mac = /Mac|iPhone|iPad/.test(navigator.platform);

/** The keys that work everywhere, and the sheet that tells them. */
export function Keys({ place }: { readonly place: Place }): ReactNode {
  const [open, setOpen] = useState<"switcher" | "help">();
  const path = pathOf(place);
  useEffect(() => visited(placeOf(path)), [path]);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const command = mac ? event.metaKey : event.ctrlKey;
      const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select, [contenteditable]") !== null;
      if (command && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setOpen((now) => (now === "switcher" ? undefined : "switcher"));
      } else if ((command && event.key === "/") || (event.key === "?" && !typing)) {
        event.preventDefault();
        setOpen("help");
      } else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
        const next = neighbour(placeOf(path), event.key === "ArrowDown" ? 1 : -1, event.shiftKey);
        if (next === undefined) return;
        event.preventDefault();
        go(next);
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [path]);
  const close = (): void => setOpen(undefined);
  return (
    <>
      {open === "switcher" && (
        <Suspense fallback={null}>
          <Switcher onClose={close} />
        </Suspense>
      )}
      <Help open={open === "help"} onClose={close} />
    </>
  );
}

/** The room above or below in the list; of those with news alone where that is wanted. */
function neighbour(place: Place, step: number, news: boolean): Place | undefined {
  const { channels, conversations, reads } = store.getState();
  const ids =
    place.at === "channel" ? (channels[place.communityId] ?? []).map((one) => one.id) : place.at === "direct" ? Object.keys(conversations) : [];
  const here = place.at === "channel" ? place.channelId : place.at === "direct" ? place.conversationId : "";
  const from = ids.indexOf(here);
  for (let away = 1; away <= ids.length; away += 1) {
    const id = ids[(from + step * away + ids.length * 2) % ids.length];
    if (id === undefined || (news && (reads[id]?.unreadCount ?? 0) === 0)) continue;
    if (place.at === "channel") return { at: "channel", communityId: place.communityId, channelId: id };
    return { at: "direct", conversationId: id };
  }
  return undefined;
}

function Help({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }): ReactNode {
  const say = useSay();
  const command = mac ? "⌘" : "Ctrl";
  const groups = [
    {
      title: say("keys.everywhere"),
      keys: [
        [`${command} K`, say("keys.switch")],
        ["Alt ↑ ↓", say("keys.move")],
        ["Alt Shift ↑ ↓", say("keys.unread")],
        [`${command} /`, say("keys.help")],
      ],
    },
    {
      title: say("keys.writing"),
      keys: [
        ["Enter", say("keys.send")],
        ["Shift Enter", say("keys.newline")],
        ["↑", say("keys.editLast")],
        ["Esc", say("keys.back")],
      ],
    },
    {
      title: say("keys.messages"),
      keys: [
        ["Shift Tab, ↑ ↓", say("keys.list")],
        ["R", say("keys.reply")],
        ["+", say("keys.react")],
        ["T", say("keys.thread")],
        ["F", say("keys.forward")],
        ["E", say("keys.edit")],
        ["Delete", say("keys.delete")],
        ["X", say("keys.select")],
        ["Enter", say("keys.menu")],
      ],
    },
  ] as const;
  return (
    <Dialog title={say("keys.title")} open={open} onClose={onClose}>
      <div className="grid max-h-[66dvh] gap-5 overflow-y-auto">
        {groups.map((group) => (
          <section key={group.title} className="grid gap-2">
            <h3 className="text-12 font-medium text-faint">{group.title}</h3>
            <dl className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-6 gap-y-2">
              {group.keys.map(([key, what]) => (
                <div key={what} className="contents">
                  <dt>{what}</dt>
                  <dd>
                    <kbd dir="ltr" className="rounded-small bg-sunken px-2 py-0.5 font-mono text-12 shadow-[inset_0_0_0_1px_var(--line)]">
                      {key}
                    </kbd>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
