import { ChevronRight, GripVertical, ListChecks, type LucideIcon, Plus, Users } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";

import { Permission } from "@creavio/client/options/v1/permission";
import { type Role, RoleKind } from "@creavio/client/rbac/v1/role";
import { figure } from "@/i18n/plural";
import { go, type Place } from "@/route";
import { SettingsHeader } from "@/settings/frame";
import { type Drop, placed, stepped, useReorder } from "@/settings/reorder";
import { useNarrow } from "@/ui/narrow";
import { Button, classes, Dialog, Wrong } from "@/ui/parts";

import { WithExplain } from "./explain";
import { useExplaining } from "./explaining";
import { PolicyTests } from "./late";
import { useKept, useManaging, useMay, useMine } from "./managing";
import { Split, Swatch, useBack, useChange, useHolders, useRoleName } from "./parts";
import { rank } from "./policy";
import { RoleEditor } from "./role-editor";
import { RoleLook } from "./role-look";
import type { PageProps } from "./page";
import { useSay } from "./texts";

/** What is chosen where no role is, but what is expected of all of them. */
const tests = "tests";

/** The roles of a community: their order, what each allows, and who has it. */
export function Roles(props: PageProps): ReactNode {
  const manages = useMay(Permission.MANAGE_ROLES);
  return props.item === tests && manages ? <PolicyTests list={props.list} /> : <AllRoles {...props} />;
}

function AllRoles({ item, list }: PageProps): ReactNode {
  const say = useSay();
  const { communityId } = useManaging();
  const narrow = useNarrow();
  const roles = useKept((kept) => kept.roles);
  const manages = useMay(Permission.MANAGE_ROLES);
  const { ask } = useExplaining();
  const [making, setMaking] = useState(false);
  const back = useBack("roles", item, list);
  const first = roles.find((one) => one.kind === RoleKind.CUSTOM) ?? roles.at(-1);
  const chosen = roles.find((one) => one.id === item) ?? (narrow && item === "" ? undefined : first);
  return (
    <>
      <SettingsHeader title={say("roles.title")} lead={say("roles.lead")} list={back}>
        {manages && (
          <>
            <HeadButton icon={Users} title={say("who.title")} onClick={() => ask({ userId: "", permission: Permission.SEND_MESSAGES, channelId: "" })} />
            <HeadButton icon={ListChecks} title={say("roles.tests")} onClick={() => go(to(communityId, tests))} />
            <Button className="mid:min-h-8! mid:px-3!" onClick={() => setMaking(true)}>
              <Plus size={16} aria-hidden /> {say("roles.new")}
            </Button>
          </>
        )}
      </SettingsHeader>
      <WithExplain>
        <Split item={chosen?.id ?? ""} list={<RoleList chosen={chosen?.id ?? ""} />}>
          {chosen !== undefined && <RoleEditor key={chosen.id} role={chosen} />}
        </Split>
      </WithExplain>
      <Dialog title={say("roles.new")} open={making} onClose={() => setMaking(false)}>
        <RoleLook
          onDone={(role) => {
            setMaking(false);
            go({ at: "manage", communityId, page: "roles", item: role.id });
          }}
        />
      </Dialog>
    </>
  );
}

/** A button of the bar; its name is seen where there is room. */
function HeadButton({ icon: Icon, title, onClick }: { readonly icon: LucideIcon; readonly title: string; readonly onClick: () => void }): ReactNode {
  return (
    <Button look="quiet" title={title} className="max-mid:size-10 max-mid:px-0! mid:min-h-8! mid:px-2.5!" onClick={onClick}>
      <Icon size={16} aria-hidden className="max-mid:size-4.5" /> <span className="max-wide:sr-only">{title}</span>
    </Button>
  );
}

function RoleList({ chosen }: { readonly chosen: string }): ReactNode {
  const say = useSay();
  const managing = useManaging();
  const { communityId } = managing;
  const roles = useKept((kept) => kept.roles);
  const manages = useMay(Permission.MANAGE_ROLES);
  const mine = useMine();
  const holders = useHolders();
  const [told, setTold] = useState("");
  const [wanted, setWanted] = useState<readonly string[]>();
  const roleName = useRoleName();
  const top = rank(roles, mine);
  const movable = (role: Role): boolean => manages && role.kind === RoleKind.CUSTOM && roles.indexOf(role) > top;
  const latest = useRef<readonly string[]>(undefined);
  const sending = useRef(false);
  const save = useChange(async () => {
    if (sending.current) return;
    sending.current = true;
    try {
      // Only the latest order counts: those before it are not sent any more.
      while (latest.current !== undefined) {
        const roleIds = [...latest.current];
        latest.current = undefined;
        managing.setRoles((await managing.roles.reorderRoles({ communityId, roleIds })).roles);
      }
    } finally {
      latest.current = undefined;
      sending.current = false;
      setWanted(undefined);
    }
  });
  const shown = wanted === undefined ? roles : roles.toSorted((a, b) => place(wanted, a) - place(wanted, b));
  const custom = shown.filter((one) => one.kind === RoleKind.CUSTOM).map((one) => one.id);
  const order = (ids: readonly string[], id: string): void => {
    const before = new Set(custom.filter((one) => !movable(role(one))));
    // Those one may not move stay where they are.
    if (ids === custom || custom.some((one, at) => before.has(one) && ids[at] !== one)) return;
    latest.current = ids;
    setWanted(ids);
    save.submit();
    setTold(say("roles.moved", { role: role(id).name, place: figure(ids.indexOf(id) + 1), count: figure(ids.length) }));
  };
  const role = (id: string): Role => roles.find((one) => one.id === id) as Role;
  const reorder = useReorder(
    (id, by) => order(stepped(custom, id, by), id),
    (id, to: Drop) => order(placed(custom, id, to), id),
  );
  return (
    <>
      <ul aria-label={say("roles.label")} aria-busy={wanted !== undefined} className="grid">
        {shown.map((one) => {
          const current = one.id === chosen;
          const moves = movable(one);
          const over = reorder.over?.id === one.id ? reorder.over : undefined;
          return (
            <li
              key={one.id}
              {...(one.kind === RoleKind.CUSTOM ? reorder.row(one.id) : {})}
              className={classes(
                "flex items-center rounded-[9px]",
                current ? "bg-accent-soft" : "hover:bg-hover",
                reorder.carried === one.id && "opacity-50",
                over !== undefined && (over.after ? "shadow-[0_2px_0_0_var(--accent)]" : "shadow-[0_-2px_0_0_var(--accent)]"),
              )}
            >
              <span
                aria-hidden
                {...(moves ? reorder.grip(one.id) : {})}
                className={classes("grid h-9.5 w-6 shrink-0 touch-none place-items-center text-faint max-mid:h-11 max-mid:w-9", moves ? "cursor-grab" : "invisible")}
              >
                <GripVertical size={14} strokeWidth={2} />
              </span>
              <button
                type="button"
                aria-current={current ? "true" : undefined}
                aria-keyshortcuts={moves ? "Alt+ArrowUp Alt+ArrowDown" : undefined}
                {...(moves ? reorder.handle(one.id) : {})}
                onClick={() => go(to(communityId, one.id))}
                className={classes("flex min-h-9.5 min-w-0 grow items-center gap-2.25 pe-2.5 text-start max-mid:min-h-11 max-mid:text-15", current && "font-semibold")}
              >
                <Swatch role={one} />
                <span dir="auto" className="min-w-0 grow truncate">
                  {roleName(one)}
                </span>
                <span className={classes("text-12 tabular-nums", current ? "text-muted" : "text-faint")}>{holders === undefined ? "" : figure(holders.get(one.id)?.length ?? 0)}</span>
                <ChevronRight size={16} aria-hidden className="text-faint mid:hidden rtl:-scale-x-100" />
              </button>
            </li>
          );
        })}
      </ul>
      {manages && custom.length > 1 && <p className="px-2 py-3 text-12 leading-normal text-faint">{say("roles.drag")}</p>}
      <p role="status" className="sr-only">
        {told}
      </p>
      <Wrong>{save.error}</Wrong>
    </>
  );
}

function to(communityId: string, item: string): Place {
  return { at: "manage", communityId, page: "roles", item };
}

function place(wanted: readonly string[], role: Role): number {
  if (role.kind === RoleKind.OWNER) return -1;
  return role.kind === RoleKind.MEMBER ? wanted.length : wanted.indexOf(role.id);
}
