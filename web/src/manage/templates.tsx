import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Check, Copy, LayoutTemplate, Plus } from "lucide-react";
import { type ReactNode, useCallback, useMemo, useState } from "react";

import type { Template } from "@creavio/client/community/v1/template";
import { TemplateService } from "@creavio/client/community/v1/template_service";
import { Permission } from "@creavio/client/options/v1/permission";
import { SettingsHeader } from "@/settings/frame";
import { useListing } from "@/settings/listing";
import { Switch } from "@/settings/parts";
import { useActions } from "@/ui/context";
import { whole } from "@/ui/dates";
import { Button, Dialog, Field, IconButton, Wrong } from "@/ui/parts";

import { useKept, useManaging } from "./managing";
import type { PageProps } from "./page";
import { Body, Line, Listed, useChange } from "./parts";
import { useSay } from "./texts";

/** The shapes one made of places, to found others by. */
export function Templates({ community, list }: PageProps): ReactNode {
  const say = useSay();
  const { client } = useActions().api;
  const { communityId } = useManaging();
  const service = useMemo(() => client.service(TemplateService), [client]);
  const [making, setMaking] = useState(false);
  const may = useKept((kept) => kept.may);
  const makes = [Permission.MANAGE_COMMUNITY, Permission.MANAGE_ROLES, Permission.MANAGE_CHANNELS].every((one) => may?.has(one));
  const listing = useListing(useCallback(async () => ({ items: (await service.listTemplates({})).templates, next: "" }), [service]));
  return (
    <>
      <SettingsHeader title={say("templates.title")} lead={say("templates.lead")} list={list}>
        {makes && (
          <Button className="mid:min-h-8! mid:px-3!" onClick={() => setMaking(true)}>
            <Plus size={16} aria-hidden /> {say("templates.new")}
          </Button>
        )}
      </SettingsHeader>
      <Body>
        <Listed of={listing} empty={say("templates.none")}>
          {(one) => (
            <One
              key={one.code}
              template={one}
              remove={async () => {
                await service.deleteTemplate({ code: one.code });
                listing.change((all) => all.filter((other) => other !== one));
              }}
            />
          )}
        </Listed>
      </Body>
      <Dialog title={say("templates.new")} open={making} onClose={() => setMaking(false)}>
        <NewTemplate
          name={community.name}
          make={async (name, includePrivate, requestId) => {
            const made = await service.createTemplate({ communityId, name, includePrivate, requestId });
            listing.change((all) => [made, ...all]);
            setMaking(false);
          }}
        />
      </Dialog>
    </>
  );
}

function One({ template, remove }: { readonly template: Template; readonly remove: () => Promise<void> }): ReactNode {
  const say = useSay();
  const [copied, setCopied] = useState(false);
  const removed = useChange(remove);
  const time = template.createTime === undefined ? "" : whole(timestampDate(template.createTime));
  return (
    <Line
      sign={<LayoutTemplate size={18} strokeWidth={1.75} aria-hidden className="text-muted" />}
      title={template.name}
      hint={
        removed.error ?? (
          <>
            <bdi dir="ltr" className="font-mono">
              {template.code}
            </bdi>{" "}
            · {time}
          </>
        )
      }
    >
      <IconButton label={say(copied ? "templates.copied" : "templates.copy", { name: template.name })} onClick={() => void navigator.clipboard.writeText(template.code).then(() => setCopied(true))}>
        {copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
      </IconButton>
      <Button look="quiet" aria-label={say("templates.removeOne", { name: template.name })} disabled={removed.busy} onClick={() => removed.submit()}>
        {say("templates.remove")}
      </Button>
    </Line>
  );
}

interface NewTemplateProps {
  readonly name: string;
  readonly make: (name: string, includePrivate: boolean, requestId: string) => Promise<void>;
}

function NewTemplate({ name: given, make }: NewTemplateProps): ReactNode {
  const say = useSay();
  const [name, setName] = useState(given);
  const [all, setAll] = useState(false);
  const [requestId] = useState(() => crypto.randomUUID());
  const made = useChange(() => make(name, all, requestId));
  return (
    <form className="grid gap-4" onSubmit={made.submit}>
      <p className="text-muted">{say("templates.what")}</p>
      <Field label={say("templates.name")} required maxLength={64} value={name} error={made.fields["name"]} onChange={(event) => setName(event.target.value)} />
      <Switch label={say("templates.private")} hint={say("templates.privateHint")} checked={all} onChange={setAll} />
      <Wrong>{made.error}</Wrong>
      <Button type="submit" look="primary" disabled={made.busy}>
        {say("templates.make")}
      </Button>
    </form>
  );
}
