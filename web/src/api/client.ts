import type { Client } from "@creavio/client";
import { SessionService } from "@creavio/client/auth/v1/session_service";
import { ConversationService } from "@creavio/client/chat/v1/conversation_service";
import { MessageService } from "@creavio/client/chat/v1/message_service";
import { ReactionService } from "@creavio/client/chat/v1/reaction_service";
import { ReadStateService } from "@creavio/client/chat/v1/read_state_service";
import { CategoryService } from "@creavio/client/community/v1/category_service";
import { ChannelService } from "@creavio/client/community/v1/channel_service";
import { CommunityService } from "@creavio/client/community/v1/community_service";
import { InviteService } from "@creavio/client/community/v1/invite_service";
import { MemberService } from "@creavio/client/community/v1/member_service";
import { GatewayService } from "@creavio/client/gateway/v1/gateway_service";
import { UserService } from "@creavio/client/user/v1/user_service";

/** What is asked of the platform by whoever is inside. */
export function api(client: Client) {
  return {
    client,
    categories: client.service(CategoryService),
    channels: client.service(ChannelService),
    communities: client.service(CommunityService),
    conversations: client.service(ConversationService),
    gateway: client.service(GatewayService),
    invites: client.service(InviteService),
    members: client.service(MemberService),
    messages: client.service(MessageService),
    reactions: client.service(ReactionService),
    readStates: client.service(ReadStateService),
    sessions: client.service(SessionService),
    users: client.service(UserService),
  };
}

export type Api = ReturnType<typeof api>;
