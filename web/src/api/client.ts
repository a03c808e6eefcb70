import { Client } from "@creavio/client";
import { AccountService } from "@creavio/client/auth/v1/account_service";
import { EmailService } from "@creavio/client/auth/v1/email_service";
import { PasswordService } from "@creavio/client/auth/v1/password_service";
import { RegistrationService } from "@creavio/client/auth/v1/registration_service";
import { SessionService } from "@creavio/client/auth/v1/session_service";
import { ConversationService } from "@creavio/client/chat/v1/conversation_service";
import { MessageService } from "@creavio/client/chat/v1/message_service";
import { ReactionService } from "@creavio/client/chat/v1/reaction_service";
import { ReadStateService } from "@creavio/client/chat/v1/read_state_service";
import { ChannelService } from "@creavio/client/community/v1/channel_service";
import { CommunityService } from "@creavio/client/community/v1/community_service";
import { InviteService } from "@creavio/client/community/v1/invite_service";
import { MemberService } from "@creavio/client/community/v1/member_service";
import { GatewayService } from "@creavio/client/gateway/v1/gateway_service";
import { UserService } from "@creavio/client/user/v1/user_service";

/** What the app asks of the platform. */
export function api(client: Client) {
  return {
    client,
    accounts: client.service(AccountService),
    channels: client.service(ChannelService),
    communities: client.service(CommunityService),
    conversations: client.service(ConversationService),
    emails: client.service(EmailService),
    gateway: client.service(GatewayService),
    invites: client.service(InviteService),
    members: client.service(MemberService),
    messages: client.service(MessageService),
    passwords: client.service(PasswordService),
    reactions: client.service(ReactionService),
    readStates: client.service(ReadStateService),
    registration: client.service(RegistrationService),
    sessions: client.service(SessionService),
    users: client.service(UserService),
  };
}

export type Api = ReturnType<typeof api>;

/** The platform this page comes from, with the session its cookie holds. */
export function ownApi(): Api {
  return api(new Client(location.origin, { cookie: true }));
}
