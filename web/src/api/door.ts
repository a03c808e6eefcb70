import { Client } from "@creavio/client";
import { AccountService } from "@creavio/client/auth/v1/account_service";
import { EmailService } from "@creavio/client/auth/v1/email_service";
import { PasswordService } from "@creavio/client/auth/v1/password_service";
import { RegistrationService } from "@creavio/client/auth/v1/registration_service";

/** What is asked of the platform by whoever stands at the door. */
export function doorApi(client: Client) {
  return {
    client,
    accounts: client.service(AccountService),
    emails: client.service(EmailService),
    passwords: client.service(PasswordService),
    registration: client.service(RegistrationService),
  };
}

export type DoorApi = ReturnType<typeof doorApi>;

/** The platform this page comes from, with the session its cookie holds. */
export function ownClient(): Client {
  return new Client(location.origin, { cookie: true });
}
