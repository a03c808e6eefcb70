import { X } from "lucide-react";
import { type ReactNode, useEffect, useMemo } from "react";

import { PresenceStatus } from "@creavio/client/gateway/v1/presence";
import { useSay } from "@/rooms/texts";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";

import { useActions } from "./context";
import { Avatar, classes, IconButton } from "./parts";
import { Profile } from "./profile";

/** Who belongs to a community: who is here first, by name. */
export function People({ communityId, onClose }: { readonly communityId: string; readonly onClose: () => void }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const ids = useKnown((state) => state.members[communityId]);
  const users = useKnown((state) => state.users);
  const presences = useKnown((state) => state.presences);
  useEffect(() => {
    void actions.people(communityId).catch(() => {});
  }, [actions, communityId]);
  const [here, away] = useMemo(() => {
    const named = (ids ?? [])
      .map((id) => ({ id, name: nameOf(users[id]) }))
      .sort((a, b) => a.name.localeCompare(b.name));
    const isHere = ({ id }: { id: string }): boolean => (presences[id] ?? PresenceStatus.OFFLINE) > PresenceStatus.OFFLINE;
    return [named.filter(isHere), named.filter((one) => !isHere(one))];
  }, [ids, users, presences]);
  return (
    <aside
      aria-label={say("people.title")}
      className="flex min-h-0 w-66 shrink-0 flex-col bg-surface shadow-1 max-mid:fixed max-mid:inset-0 max-mid:z-30 max-mid:w-auto mid:rounded-card"
    >
      <header className="flex min-h-13.5 items-center ps-4 pe-2">
        <h2 className="font-display text-17 font-bold tracking-[-0.012em]">{say("people.title")}</h2>
        <IconButton label={say("common.close")} className="ms-auto" onClick={onClose}>
          <X size={18} strokeWidth={1.75} aria-hidden />
        </IconButton>
      </header>
      <div className="min-h-0 grow overflow-y-auto px-2 pb-3">
        <Group title={say("people.here", { count: here.length })} people={here} />
        <Group title={say("people.away", { count: away.length })} people={away} faint />
      </div>
    </aside>
  );
}

interface GroupProps {
  readonly title: string;
  readonly people: readonly { readonly id: string; readonly name: string }[];
  readonly faint?: boolean;
}

function Group({ title, people, faint = false }: GroupProps): ReactNode {
  const presences = useKnown((state) => state.presences);
  if (people.length === 0) return null;
  return (
    <>
      <h3 className="px-2 pt-2.5 pb-1 text-12 font-medium text-faint">{title}</h3>
      <ul className="grid gap-px">
        {people.map(({ id, name }) => (
          <li key={id} className="[content-visibility:auto] [contain-intrinsic-size:auto_2.5rem]">
            <Profile id={id} name={name} className="flex min-h-10 w-full items-center gap-2.5 rounded-[8px] px-2 text-start hover:bg-hover">
              <Avatar id={id} size="s" presence={faint ? undefined : presences[id]} />
              <span dir="auto" className={classes("min-w-0 truncate", faint && "text-faint")}>
                {name}
              </span>
            </Profile>
          </li>
        ))}
      </ul>
    </>
  );
}
