"""A bot that answers `!echo …` wherever it is, until somebody says `!bye`.

python bot.py http://127.0.0.1:8080 INVITE-CODE
"""

from __future__ import annotations

import asyncio
import secrets
import sys

from creavio_sdk import CallError, Client
from creavio_sdk.contracts.creavio.chat.v1 import CreateMessageRequest, Message, MessageServiceStub
from creavio_sdk.contracts.creavio.community.v1 import AcceptInviteRequest, InviteServiceStub


async def answer(client: Client, message: Message) -> None:
    _, _, said = message.content.partition(" ")
    try:
        await client.service(MessageServiceStub).create_message(
            # The same answer under the same nonce: a message that is told twice is answered once.
            CreateMessageRequest(
                channel_id=message.channel_id, content=said, nonce=f"echo-{message.id}"
            )
        )
    except CallError as error:
        print(f"could not answer: {error}", file=sys.stderr)


async def main(url: str, invite: str) -> None:
    async with Client(url) as client:
        handle = f"echo-{secrets.token_hex(6)}"
        me = await client.sign_up(handle, f"{handle}@example.org", secrets.token_urlsafe(), "Echo")
        await client.service(InviteServiceStub).accept_invite(AcceptInviteRequest(code=invite))
        async for event in client.events():
            if event.ready is not None:
                print("listening", flush=True)
            if event.message_created is None or event.message_created.message is None:
                continue
            message = event.message_created.message
            if me.user is not None and message.author_id == me.user.id:
                continue
            if message.content.startswith("!echo "):
                await answer(client, message)
            elif message.content == "!bye":
                return


asyncio.run(main(sys.argv[1], sys.argv[2]))
