import { ChevronsUpDown, MoreHorizontal, Palette, Trash2, Users } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { type ReactNode, useState } from "react";

import type { Permission } from "@creavio/client/options/v1/permission";
import { Permission as May } from "@creavio/client/options/v1/permission";
import { type Role, RoleKind } from "@creavio/client/rbac/v1/role";
import { go } from "@/route";
import { Confirm } from "@/ui/confirm";
import { Picker } from "@/settings/picker";
import { SaveBar } from "@/settings/save-bar";
import { useKnown } from "@/store/react";
import { Button, classes, Dialog, IconButton, menuItem } from "@/ui/parts";

import { WhyButton } from "./explain";
import { useKept, useManaging, useMay, useMine } from "./managing";
import { PermissionRow, Swatch, useChange, useCounted, useHolders, useRoleName } from "./parts";
import { groups, wordsOf } from "./permissions";
import { rank, said, saying, type Says } from "./policy";
import { RoleLook } from "./role-look";
import { RolePeople } from "./role-people";
import { useSay } from "./texts";

/** What a role allows and denies, and who has it. */
export function RoleEditor({ role }: { readonly role: Role }): ReactNode {
  const say = useSay();
  const count = useCounted();
  const managing = useManaging();
  const { communityId } = managing;
  const roles = useKept((kept) => kept.roles);
  const may = useKept((kept) => kept.may);
  const manages = useMay(May.MANAGE_ROLES);
  const mine = useMine();
  const me = useKnown((state) => state.me?.id ?? "");
  const holders = useHolders()?.get(role.id);
  const roleName = useRoleName();
  const [draft, setDraft] = useState<ReadonlyMap<Permission, Says>>(new Map());
  const [people, setPeople] = useState(false);
  const [dialog, setDialog] = useState<"look" | "delete">();
  const locked = role.kind === RoleKind.OWNER ? "roles.ownerFixed" : !manages ? "roles.cannot" : roles.indexOf(role) <= rank(roles, mine) ? "roles.tooHigh" : undefined;
  const changes = [...draft].filter(([permission, says]) => said(role, permission) !== says);
  const save = useChange(async () => {
    const rules = changes.reduce<{ allow: Permission[]; deny: Permission[] }>((all, [permission, says]) => saying(all, permission, says), {
      allow: role.allow,
      deny: role.deny,
    });
    managing.putRole(
      await managing.roles.updateRole({ communityId, roleId: role.id, ...rules, etag: role.etag, updateMask: { paths: ["allow", "deny"] } }),
    );
    setDraft(new Map());
  });
  const remove = useChange(async () => {
    await managing.roles.deleteRole({ communityId, roleId: role.id });
    go({ at: "manage", communityId, page: "roles", item: "" }, "replace");
    managing.dropRole(role.id);
  });
  const custom = role.kind === RoleKind.CUSTOM && locked === undefined;
  const name = roleName(role);
  const why = (permission: Permission): string | undefined =>
    locked !== undefined ? "" : may?.has(permission) === true ? undefined : say("roles.lacking");
  return (
    <>
      <div className="min-h-0 grow overflow-y-auto px-4 pt-4.5 pb-24 mid:px-5 wide:px-6">
        <div className="mx-auto max-w-[44rem]">
          <div className="flex items-center gap-2 mid:gap-2.5">
            <Swatch role={role} big />
            <div className="ms-1 min-w-0 grow">
              <h2 dir="auto" className="truncate font-display text-20 font-bold tracking-[-0.015em]">
                {name}
              </h2>
              <p className="text-13 text-faint">{holders === undefined ? say("roles.counting") : count("roles.people", holders.length)}</p>
            </div>
            <Picker
              label={say("roles.other")}
              value=""
              placeholder={<ChevronsUpDown size={16} aria-hidden className="text-muted" />}
              className="max-mid:hidden wide:hidden [&>svg]:hidden"
              options={roles.map((one) => ({ value: one.id, title: roleName(one), sign: <Swatch role={one} /> }))}
              onPick={(item) => go({ at: "manage", communityId, page: "roles", item })}
            />
            <WhyButton question={{ userId: holders?.find((id) => id !== me) ?? me, permission: May.SEND_MESSAGES, channelId: "" }} />
            {custom && (
              <DropdownMenu.Root modal={false}>
                <DropdownMenu.Trigger asChild>
                  <IconButton label={say("roles.more", { role: name })}>
                    <MoreHorizontal size={18} strokeWidth={1.75} aria-hidden />
                  </IconButton>
                </DropdownMenu.Trigger>
                <DropdownMenu.Portal>
                  <DropdownMenu.Content align="end" sideOffset={4} className="z-50 grid min-w-52 gap-px rounded-card bg-overlay p-1.5 shadow-2">
                    <DropdownMenu.Item className={menuItem} onSelect={() => setDialog("look")}>
                      <Palette size={16} aria-hidden /> {say("roles.look")}
                    </DropdownMenu.Item>
                    <DropdownMenu.Item className={classes(menuItem, "text-danger")} onSelect={() => setDialog("delete")}>
                      <Trash2 size={16} aria-hidden /> {say("roles.delete")}
                    </DropdownMenu.Item>
                  </DropdownMenu.Content>
                </DropdownMenu.Portal>
              </DropdownMenu.Root>
            )}
            {role.kind !== RoleKind.MEMBER && (
              <Button className="min-h-8! px-2.5! text-13" aria-pressed={people} onClick={() => setPeople(!people)}>
                <Users size={16} aria-hidden /> <span className="max-wide:sr-only">{say(people ? "roles.seeRules" : "roles.seePeople")}</span>
              </Button>
            )}
          </div>
          {people ? (
            <RolePeople role={role} holders={holders} locked={locked !== undefined} />
          ) : (
            <>
              {locked !== undefined && <p className="mt-3 rounded-card bg-sunken px-4 py-3 text-13 text-muted">{say(locked)}</p>}
              {groups.map((group) => (
                <section key={group.title}>
                  <h3 className="mt-5 mb-0.5 text-12 font-medium text-faint">{say(group.title)}</h3>
                  <ul>
                    {group.permissions.map((permission) => {
                      const words = wordsOf(permission);
                      return (
                        <PermissionRow
                          key={permission}
                          title={say(words.title)}
                          hint={say(words.hint)}
                          value={role.kind === RoleKind.OWNER ? "allow" : draft.has(permission) ? draft.get(permission) : said(role, permission)}
                          why={why(permission)}
                          onChange={(says) => setDraft(new Map(draft).set(permission, says))}
                        />
                      );
                    })}
                  </ul>
                </section>
              ))}
            </>
          )}
        </div>
      </div>
      <SaveBar
        changed={changes.length > 0}
        title={count("roles.unsaved", changes.length)}
        busy={save.busy}
        error={save.error}
        what={holders === undefined ? say("roles.notice") : count("roles.noticed", holders.length)}
        onUndo={() => setDraft(new Map())}
        onSave={() => save.submit()}
      />
      <Dialog title={say("roles.look")} open={dialog === "look"} onClose={() => setDialog(undefined)}>
        <RoleLook role={role} onDone={() => setDialog(undefined)} />
      </Dialog>
      {dialog === "delete" && (
        <Confirm
          title={say("roles.deleteSure", { role: name })}
          lead={holders === undefined ? say("roles.deleteLead") : count("roles.deleteLoses", holders.length)}
          action={say("roles.delete")}
          busy={remove.busy}
          error={remove.error}
          onDo={() => remove.submit()}
          onClose={() => setDialog(undefined)}
        />
      )}
    </>
  );
}
