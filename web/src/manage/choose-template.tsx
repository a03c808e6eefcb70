import { type ReactNode, useEffect, useMemo, useState } from "react";

import type { Template } from "@creavio/client/community/v1/template";
import { TemplateService } from "@creavio/client/community/v1/template_service";
import { Choice } from "@/settings/parts";
import { lasting } from "@/store/lasting";
import { useActions } from "@/ui/context";
import { Field } from "@/ui/parts";

import { useCounted } from "./parts";
import { useSay } from "./texts";

const there = ["", "club", "class", "project", "own"] as const;
type Kind = (typeof there)[number];

/** By which shape a place is founded: one every instance has, or one whose code is known. */
export function ChooseTemplate({ onChange }: { readonly onChange: (template: string) => void }): ReactNode {
  const say = useSay();
  const count = useCounted();
  const { client } = useActions().api;
  const service = useMemo(() => client.service(TemplateService), [client]);
  const [kind, setKind] = useState<Kind>("");
  const [code, setCode] = useState("");
  const [found, setFound] = useState<Template>();
  const [missing, setMissing] = useState(false);
  const wanted = kind === "own" ? code.trim() : kind;
  useEffect(() => {
    onChange(wanted);
    setFound(undefined);
    setMissing(false);
    if (!/^[0-9A-Za-z]{1,32}$/.test(wanted)) return;
    let left = false;
    lasting(() => service.getTemplate({ code: wanted })).then(
      (template) => left || setFound(template),
      () => left || setMissing(true),
    );
    return () => void (left = true);
  }, [wanted, service, onChange]);
  return (
    <div className="grid gap-3">
      <Choice<Kind>
        title={say("shape.title")}
        value={kind}
        options={there.map((one) => ({ value: one, title: say(`shape.${one === "" ? "empty" : one}`), hint: say(`shape.${one === "" ? "empty" : one}.hint`) }))}
        onChange={setKind}
      />
      {kind === "own" && <Field label={say("shape.code")} dir="ltr" required value={code} onChange={(event) => setCode(event.target.value)} />}
      <div role="status">
        {missing && <p className="text-13 text-danger">{say("shape.missing")}</p>}
        {found !== undefined && (
          <p className="text-13 text-muted">
            {found.name !== "" && kind === "own" && <b className="font-semibold text-text">{found.name}: </b>}
            {count("shape.channels", found.channels.length)} {count("shape.roles", found.roles.length)}
          </p>
        )}
      </div>
    </div>
  );
}
