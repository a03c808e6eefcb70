import { X } from "lucide-react";
import { type ReactNode, useState } from "react";

import type { Conversation } from "@creavio/client/chat/v1/conversation";
import type { User } from "@creavio/client/user/v1/user";
import { go } from "@/route";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { useActions } from "@/ui/context";
import { useMutation } from "@/ui/mutation";
import { Avatar, Button, Field, IconButton, Wrong } from "@/ui/parts";

import { useSay } from "./texts";
import { useDoing } from "./use-doing";

/** Finds somebody by their handle. */
function useFind(): { readonly find: (handle: string) => Promise<User> } {
  const actions = useActions();
  return {
    find: async (handle) => {
      const user = await actions.api.users.getUserByHandle({ handle: handle.trim().replace(/^@/, "").toLowerCase() });
      actions.know([user.id]);
      return user;
    },
  };
}

interface AddProps {
  readonly onFound: (user: User) => Promise<void> | void;
}

function AddByHandle({ onFound }: AddProps): ReactNode {
  const say = useSay();
  const { find } = useFind();
  const [handle, setHandle] = useState("");
  const add = useMutation(
    async () => {
      await onFound(await find(handle));
      setHandle("");
    },
    { NOT_FOUND: "group.unknown" },
    say,
  );
  return (
    <form className="grid gap-2" onSubmit={add.submit}>
      <div className="flex items-end gap-2">
        <Field className="grow" label={say("group.find")} value={handle} autoFocus autoCapitalize="none" spellCheck={false} onChange={(event) => setHandle(event.target.value)} />
        <Button type="submit" className="min-h-10!" disabled={add.busy || handle.trim() === ""}>
          {say("group.add")}
        </Button>
      </div>
      <Wrong>{add.error}</Wrong>
    </form>
  );
}

/** Begins a conversation with one person, or with several. */
export function NewConversation({ onDone }: { readonly onDone: () => void }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const doing = useDoing();
  const meId = useKnown((state) => state.me?.id);
  const [people, setPeople] = useState<readonly User[]>([]);
  const [name, setName] = useState("");
  const begin = useMutation(async () => {
    const [first] = people;
    if (first === undefined) return;
    const conversationId = people.length === 1 ? await actions.writeTo(first.id) : await doing.gather(people.map((one) => one.id), name.trim());
    onDone();
    go({ at: "direct", conversationId });
  });
  return (
    <div className="grid gap-4">
      <p className="text-13 text-muted">{say("group.hint")}</p>
      <AddByHandle onFound={(user) => setPeople((known) => (user.id === meId || known.some((one) => one.id === user.id) ? known : [...known, user]))} />
      <ul className="grid gap-1">
        {people.map((one) => (
          <li key={one.id} className="flex items-center gap-2.5">
            <Avatar id={one.id} size="s" />
            <bdi className="min-w-0 grow truncate">{nameOf(one)}</bdi>
            <IconButton label={say("group.remove", { name: nameOf(one) })} onClick={() => setPeople(people.filter((other) => other.id !== one.id))}>
              <X size={16} aria-hidden />
            </IconButton>
          </li>
        ))}
      </ul>
      {people.length > 1 && <Field label={say("group.name")} value={name} maxLength={100} onChange={(event) => setName(event.target.value)} />}
      <Wrong>{begin.error}</Wrong>
      <Button look="primary" disabled={begin.busy || people.length === 0} onClick={() => begin.submit()}>
        {say("group.begin")}
      </Button>
    </div>
  );
}

/** Who is in a group, what it is called, and the way out. */
export function GroupSettings({ conversation, onDone }: { readonly conversation: Conversation; readonly onDone: () => void }): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const users = useKnown((state) => state.users);
  const meId = useKnown((state) => state.me?.id) ?? "";
  const [name, setName] = useState(conversation.name);
  const owner = conversation.ownerId === meId;
  const rename = useMutation(() => doing.renameConversation(conversation.id, name.trim()));
  const leave = useMutation(async () => {
    await doing.removePerson(conversation.id, meId);
    onDone();
    go({ at: "direct", conversationId: "" }, "replace");
  });
  return (
    <div className="grid gap-5">
      <form className="flex items-end gap-2" onSubmit={rename.submit}>
        <Field className="grow" label={say("group.name")} value={name} maxLength={100} error={rename.error} onChange={(event) => setName(event.target.value)} />
        <Button type="submit" className="min-h-10!" disabled={rename.busy || name.trim() === conversation.name}>
          {say("common.save")}
        </Button>
      </form>
      <AddByHandle onFound={(user) => doing.addPeople(conversation.id, [user.id])} />
      <ul className="grid max-h-[40dvh] gap-1 overflow-y-auto">
        {conversation.memberIds.map((id) => {
          const known = nameOf(users[id]);
          return (
            <li key={id} className="flex min-h-9 items-center gap-2.5">
              <Avatar id={id} size="s" />
              <bdi className="min-w-0 truncate">{known}</bdi>
              {id === conversation.ownerId && <span className="shrink-0 text-12 text-faint">{say("group.owner")}</span>}
              {owner && id !== meId && (
                <span className="ms-auto flex shrink-0">
                  <Button look="quiet" className="min-h-8! text-12" onClick={() => void doing.handOver(conversation.id, id).catch(() => {})}>
                    {say("group.handOver", { name: known })}
                  </Button>
                  <IconButton label={say("group.remove", { name: known })} onClick={() => void doing.removePerson(conversation.id, id).catch(() => {})}>
                    <X size={16} aria-hidden />
                  </IconButton>
                </span>
              )}
            </li>
          );
        })}
      </ul>
      <Wrong>{leave.error}</Wrong>
      <Button look="danger" className="justify-self-start" disabled={leave.busy} onClick={() => leave.submit()}>
        {say("group.leave")}
      </Button>
    </div>
  );
}
