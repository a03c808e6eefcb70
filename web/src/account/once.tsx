import { Copy, Download } from "lucide-react";
import { type ReactNode, useState } from "react";

import { useSay as useCore } from "@/i18n";
import { Button } from "@/ui/parts";

import { saveAs } from "./file";
import { useSay } from "./texts";

interface OnceProps {
  readonly label: string;
  readonly children: string;
  /** Under which name it is offered as a file; not at all without one. */
  readonly file?: string;
}

/** A secret that is shown this once, and the ways to keep it. */
export function Once({ label, children, file }: OnceProps): ReactNode {
  const say = useSay();
  const core = useCore();
  const [copied, setCopied] = useState(false);
  const many = children.includes("\n");
  return (
    <div className="grid gap-2.5">
      <pre
        aria-label={label}
        role="group"
        tabIndex={0}
        dir="ltr"
        className="max-h-60 overflow-auto rounded-control bg-sunken p-3 font-mono text-13 whitespace-pre-wrap [overflow-wrap:anywhere]"
      >
        {children}
      </pre>
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => void navigator.clipboard.writeText(children).then(() => setCopied(true), () => {})}>
          <Copy size={16} aria-hidden /> <span role="status">{core(copied ? "common.copied" : "common.copy")}</span>
        </Button>
        {file !== undefined && (
          <Button onClick={() => saveAs(file, "text/plain", [`${children}\n`])}>
            <Download size={16} aria-hidden /> {say("once.download")}
          </Button>
        )}
      </div>
      <p className="text-12 text-muted">{say(many ? "once.leadMany" : "once.lead")}</p>
    </div>
  );
}
