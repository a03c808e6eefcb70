import { useMemo } from "react";

import { AccountService } from "@creavio/client/auth/v1/account_service";
import { AppService } from "@creavio/client/auth/v1/app_service";
import { BotService } from "@creavio/client/auth/v1/bot_service";
import { ConsentService } from "@creavio/client/auth/v1/consent_service";
import { IdentityService } from "@creavio/client/auth/v1/identity_service";
import { PasskeyService } from "@creavio/client/auth/v1/passkey_service";
import { SecondFactorService } from "@creavio/client/auth/v1/second_factor_service";
import { TokenService } from "@creavio/client/auth/v1/token_service";
import { ExportService } from "@creavio/client/gateway/v1/export_service";
import { BlockService } from "@creavio/client/user/v1/block_service";
import { SettingsService } from "@creavio/client/user/v1/settings_service";
import type { Api } from "@/api/client";
import { useActions } from "@/ui/context";

/** What the settings of oneself ask of the platform, besides what the app does. */
export function services({ client }: Api) {
  return {
    accounts: client.service(AccountService),
    apps: client.service(AppService),
    blocks: client.service(BlockService),
    bots: client.service(BotService),
    consents: client.service(ConsentService),
    exports: client.service(ExportService),
    factors: client.service(SecondFactorService),
    identities: client.service(IdentityService),
    passkeys: client.service(PasskeyService),
    settings: client.service(SettingsService),
    tokens: client.service(TokenService),
  };
}

export type Services = ReturnType<typeof services>;

export function useServices(): Services {
  const { api } = useActions();
  return useMemo(() => services(api), [api]);
}
