import type { ReactNode } from "react";

import type { Place } from "@/route";
import { SettingsHeader } from "@/settings/frame";
import { SettingsBody } from "@/settings/page";

import { EmailAddress } from "./email";
import { Factor } from "./factor";
import { Identities } from "./identities";
import { Passkeys } from "./keys";
import { Password } from "./password";
import { useSay } from "./texts";

/** By what one signs in. */
export function SignIn({ list }: { readonly list: Place }): ReactNode {
  const say = useSay();
  return (
    <>
      <SettingsHeader title={say("signIn.title")} list={list} />
      <SettingsBody>
        <EmailAddress />
        <Password />
        <Factor />
        <Passkeys />
        <Identities />
      </SettingsBody>
    </>
  );
}
