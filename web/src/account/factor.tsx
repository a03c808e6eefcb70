import { timestampDate } from "@bufbuild/protobuf/wkt";
import { ShieldCheck } from "lucide-react";
import { encodeQR } from "qr";
import { type ReactNode, useMemo, useState } from "react";

import type { TotpSecret } from "@creavio/client/auth/v1/second_factor";
import { useAsked } from "@/settings/asked";
import { Answer, Badge, Line, Lines, Nothing, Section } from "@/settings/page";
import { Button, Dialog, Field } from "@/ui/parts";

import { useDoing } from "./doing";
import { Once } from "./once";
import { Prove } from "./proof";
import { useServices } from "./services";
import { useSay } from "./texts";
import { date } from "./times";

type Open =
  | { readonly what: "begin" | "renew" | "disable" }
  | { readonly what: "confirm"; readonly secret: TotpSecret }
  | { readonly what: "codes"; readonly codes: readonly string[] };

/** Codes of an app, asked for besides the password. */
export function Factor(): ReactNode {
  const say = useSay();
  const { factors } = useServices();
  const asked = useAsked(() => factors.getSecondFactor({}));
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const shown = async (codes: readonly string[]): Promise<void> => {
    setOpen({ what: "codes", codes });
    await asked.again();
  };
  return (
    <Section
      title={say("factor.title")}
      lead={say("factor.lead")}
      action={
        asked.value?.enabled === false && (
          <Button onClick={() => setOpen({ what: "begin" })}>
            {say("factor.begin")}
          </Button>
        )
      }
    >
      <Answer of={asked}>
        {(factor) =>
          factor.enabled ? (
            <Lines label={say("factor.title")}>
              <Line
                icon={<ShieldCheck size={20} strokeWidth={1.6} aria-hidden />}
                title={
                  <>
                    {say("factor.app")} <Badge look="good">{say("factor.on")}</Badge>
                  </>
                }
                about={factor.enableTime !== undefined && say("factor.since", { date: date(timestampDate(factor.enableTime)) })}
              >
                <Button onClick={() => setOpen({ what: "disable" })}>{say("factor.disable")}</Button>
              </Line>
              <Line
                title={
                  <>
                    {say("factor.codes")} {factor.recoveryCodesLeft < 3 && <Badge look="warn">{say("factor.few")}</Badge>}
                  </>
                }
                about={say("factor.codesLeft", { count: factor.recoveryCodesLeft })}
              >
                <Button onClick={() => setOpen({ what: "renew" })}>{say("factor.renew")}</Button>
              </Line>
            </Lines>
          ) : (
            <Nothing>{say("factor.off")}</Nothing>
          )
        }
      </Answer>
      {open?.what === "begin" && (
        <Prove
          title={say("factor.begin")}
          lead={<p>{say("factor.beginLead")}</p>}
          submit={say("factor.next")}
          known={{ SECOND_FACTOR_ENABLED: "wrong.meanwhile" }}
          onClose={close}
          act={async (proof) => setOpen({ what: "confirm", secret: await factors.beginSecondFactor({ proof }) })}
        />
      )}
      {open?.what === "confirm" && <Confirm secret={open.secret} onClose={close} onDone={shown} />}
      {open?.what === "codes" && (
        <Dialog title={say("factor.codes")} open onClose={close}>
          <p className="text-muted">{say("factor.codesLead")}</p>
          <Once label={say("factor.codes")} file="creavio-recovery-codes.txt">
            {open.codes.join("\n")}
          </Once>
          <Button look="primary" onClick={close}>
            {say("factor.kept")}
          </Button>
        </Dialog>
      )}
      {open?.what === "renew" && (
        <Prove
          title={say("factor.renew")}
          lead={<p>{say("factor.renewLead")}</p>}
          submit={say("factor.renew")}
          onClose={close}
          act={async (proof) => shown((await factors.renewRecoveryCodes({ proof })).codes)}
        />
      )}
      {open?.what === "disable" && (
        <Prove
          title={say("factor.disableSure")}
          lead={<p>{say("factor.disableLead")}</p>}
          submit={say("factor.disable")}
          destroys
          onClose={close}
          act={async (proof) => {
            await factors.disableSecondFactor({ proof });
            await asked.again();
            close();
          }}
        />
      )}
    </Section>
  );
}

interface ConfirmProps {
  readonly secret: TotpSecret;
  readonly onClose: () => void;
  readonly onDone: (codes: readonly string[]) => Promise<void>;
}

function Confirm({ secret, onClose, onDone }: ConfirmProps): ReactNode {
  const say = useSay();
  const { factors } = useServices();
  const [code, setCode] = useState("");
  const done = useDoing(async () => onDone((await factors.confirmSecondFactor({ code: code.replaceAll(/\s/g, "") })).codes), {
    WRONG_CODE: "factor.wrongCode",
    NOT_FOUND: "wrong.meanwhile",
    SECOND_FACTOR_ENABLED: "wrong.meanwhile",
  });
  return (
    <Dialog title={say("factor.begin")} open onClose={onClose}>
      <form className="grid gap-4" onSubmit={done.submit}>
        <p className="text-muted">{say("factor.scan")}</p>
        <Code text={secret.uri} label={say("factor.picture")} />
        <div className="grid gap-1">
          <p className="text-13 text-muted">{say("factor.byHand")}</p>
          <code dir="ltr" className="rounded-control bg-sunken px-3 py-2 font-mono text-13 [overflow-wrap:anywhere]">
            {secret.secret.replaceAll(/(.{4})(?=.)/g, "$1 ")}
          </code>
        </div>
        <Field
          label={say("factor.code")}
          inputMode="numeric"
          autoComplete="one-time-code"
          required
          minLength={6}
          maxLength={7}
          value={code}
          error={done.error}
          onChange={(event) => setCode(event.target.value)}
        />
        <Button type="submit" look="primary" disabled={done.busy}>
          {say("factor.confirm")}
        </Button>
      </form>
    </Dialog>
  );
}

/** A text as a picture for cameras, drawn here: it is nobody else's to see. */
function Code({ text, label }: { readonly text: string; readonly label: string }): ReactNode {
  const { size, path } = useMemo(() => drawn(encodeQR(text, "raw", { ecc: "medium", border: 4 })), [text]);
  return (
    // Dark on light in both themes: not every camera reads it the other way round.
    <svg role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shapeRendering="crispEdges" className="w-52 justify-self-center rounded-control">
      <path fill="#fff" d={`M0 0h${size}v${size}H0z`} />
      <path fill="#000" d={path} />
    </svg>
  );
}

/** The dark squares as one path: a line for each unbroken run. */
export function drawn(rows: readonly (readonly boolean[])[]): { readonly size: number; readonly path: string } {
  let path = "";
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x += 1) {
      if (row[x] !== true) continue;
      let end = x;
      while (row[end] === true) end += 1;
      path += `M${x} ${y}h${end - x}v1H${x}z`;
      x = end;
    }
  });
  return { size: rows.length, path };
}
