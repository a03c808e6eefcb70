// A bot that answers `!echo …` wherever it is, until somebody says `!bye`.
//
//     node bot.ts http://127.0.0.1:8080 INVITE-CODE
import { randomBytes } from "node:crypto";

import { CallError, Client } from "@creavio/client";
import { MessageService } from "@creavio/client/chat/v1/message_service";
import { InviteService } from "@creavio/client/community/v1/invite_service";

const [url = "http://127.0.0.1:8080", code = ""] = process.argv.slice(2);
const client = new Client(url);
const handle = `echo-${randomBytes(6).toString("hex")}`;
const password = randomBytes(16).toString("hex");
const me = await client.signUp(handle, `${handle}@example.org`, password, "Echo");
await client.service(InviteService).acceptInvite({ code });

for await (const { payload } of client.events()) {
  if (payload.case === "ready") console.log("listening");
  if (payload.case !== "messageCreated") continue;
  const message = payload.value.message;
  if (message === undefined || message.authorId === me.user?.id) continue;
  if (message.content === "!bye") break;
  if (!message.content.startsWith("!echo ")) continue;
  try {
    await client.service(MessageService).createMessage({
      channelId: message.channelId,
      content: message.content.slice("!echo ".length),
      // The same answer under the same nonce: a message that is told twice is answered once.
      nonce: `echo-${message.id}`,
    });
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    console.error(`could not answer: ${error.message}`);
  }
}
