// Two people in a community of their own, who talk.
//
//     node talk.ts http://127.0.0.1:8080
import { randomBytes } from "node:crypto";

import { Client, pages } from "@creavio/client";
import { MessageService } from "@creavio/client/chat/v1/message_service";
import { ChannelService } from "@creavio/client/community/v1/channel_service";
import { CommunityService } from "@creavio/client/community/v1/community_service";
import { InviteService } from "@creavio/client/community/v1/invite_service";

const url = process.argv[2] ?? "http://127.0.0.1:8080";
const [ada, grace] = [new Client(url), new Client(url)];
for (const [client, name] of [[ada, "ada"], [grace, "grace"]] as const) {
  const handle = `${name}-${randomBytes(6).toString("hex")}`;
  await client.signUp(handle, `${handle}@example.org`, randomBytes(16).toString("hex"));
}

const community = await ada.service(CommunityService).createCommunity({ name: "A table" });
const channel = await ada
  .service(ChannelService)
  .createChannel({ communityId: community.id, name: "general" });
const invite = await ada.service(InviteService).createInvite({ communityId: community.id });
await grace.service(InviteService).acceptInvite({ code: invite.code });

const lines = [[ada, "Is anybody there?"], [grace, "I am."], [ada, "Good."]] as const;
for (const [client, content] of lines) {
  // Sent twice if the answer is lost; there once, since the client gives it a nonce.
  await client.service(MessageService).createMessage({ channelId: channel.id, content });
}

const { listMessages } = grace.service(MessageService);
const request = { channelId: channel.id, pageSize: 2 };
for await (const message of pages(listMessages, request, (page) => page.messages)) {
  console.log(message.content);
}
await grace.signOut();
