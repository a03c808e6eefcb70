import { type ReactNode, useState } from "react";

import type { Role } from "@creavio/client/rbac/v1/role";
import { Button, classes, Field, Wrong } from "@/ui/parts";

import { colours, hueOfColour } from "./colour";
import { useManaging } from "./managing";
import { useChange } from "./parts";
import { useSay } from "./texts";

/** What a role is called and the colour it is shown in: of one there is, or of a new one. */
export function RoleLook({ role, onDone }: { readonly role?: Role; readonly onDone: (role: Role) => void }): ReactNode {
  const say = useSay();
  const managing = useManaging();
  const { communityId } = managing;
  const [name, setName] = useState(role?.name ?? "");
  const [color, setColor] = useState(role?.color ?? 0);
  const [requestId] = useState(() => crypto.randomUUID());
  const save = useChange(async () => {
    const saved =
      role === undefined
        ? await managing.roles.createRole({ communityId, name, color, requestId })
        : await managing.roles.updateRole({ communityId, roleId: role.id, name, color, etag: role.etag });
    managing.putRole(saved);
    onDone(saved);
  });
  const hue = hueOfColour(color);
  const choices = [0, ...colours];
  return (
    <form className="grid gap-4" onSubmit={save.submit}>
      <Field
        label={say("roles.name")}
        required
        autoFocus
        maxLength={64}
        value={name}
        error={save.fields["name"]}
        onChange={(event) => setName(event.target.value)}
      />
      <fieldset>
        <legend className="mb-1.5 text-13 font-medium">{say("roles.colour")}</legend>
        <div className="flex flex-wrap gap-1.5">
          {choices.map((one, at) => (
            <label
              key={one}
              className="grid size-9 place-items-center rounded-control has-checked:shadow-[inset_0_0_0_2px_var(--accent)] has-focus-visible:outline-2 has-focus-visible:outline-focus max-mid:size-11"
            >
              <input
                type="radio"
                name="colour"
                className="sr-only"
                aria-label={one === 0 ? say("roles.noColour") : say("roles.hue", { number: at })}
                checked={hueOfColour(one) === hue}
                onChange={() => setColor(one)}
              />
              <span aria-hidden className={classes("size-5.5 rounded-[7px]", one === 0 ? "bg-line-strong" : "bg-hue-sign", hueOfColour(one))} />
            </label>
          ))}
        </div>
      </fieldset>
      <Wrong>{save.error}</Wrong>
      <Button type="submit" look="primary" disabled={save.busy}>
        {say(role === undefined ? "roles.create" : "roles.keep")}
      </Button>
    </form>
  );
}
