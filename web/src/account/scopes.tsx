import type { ReactNode } from "react";

import { TokenScope } from "@creavio/client/auth/v1/token";

import type { Key } from "./en";
import { useSay } from "./texts";
import { Tick } from "@/settings/parts";

const words: Readonly<Partial<Record<TokenScope, Key>>> = { [TokenScope.READ]: "scope.read", [TokenScope.WRITE]: "scope.write" };
const all = [TokenScope.READ, TokenScope.WRITE] as const;

/** What something may do, in words. */
export function useScopes(): (scopes: readonly TokenScope[]) => string {
  const say = useSay();
  return (scopes) => scopes.flatMap((one) => words[one] ?? []).map((key) => say(key)).join(" · ");
}

interface ScopesProps {
  readonly value: readonly TokenScope[];
  readonly onChange: (value: TokenScope[]) => void;
}

/** Says what something may do. */
export function Scopes({ value, onChange }: ScopesProps): ReactNode {
  const say = useSay();
  return (
    <fieldset className="grid gap-0.5">
      <legend className="mb-1 text-13 font-medium">{say("scope.title")}</legend>
      <Tick label={say("scope.read")} hint={say("scope.readHint")} checked={value.includes(TokenScope.READ)} onChange={(on) => onChange(toggled(value, TokenScope.READ, on))} />
      <Tick label={say("scope.write")} hint={say("scope.writeHint")} checked={value.includes(TokenScope.WRITE)} onChange={(on) => onChange(toggled(value, TokenScope.WRITE, on))} />
    </fieldset>
  );
}

function toggled(value: readonly TokenScope[], one: TokenScope, on: boolean): TokenScope[] {
  return all.filter((it) => (it === one ? on : value.includes(it)));
}

/** For how many days something is good. */
export const lifetimes = ["7", "30", "90", "366"] as const;
export type Lifetime = (typeof lifetimes)[number];
