"""Two people in a community of their own, who talk.

python talk.py http://127.0.0.1:8080
"""

from __future__ import annotations

import asyncio
import secrets
import sys

from creavio_sdk import Client, pages
from creavio_sdk.contracts.creavio.chat.v1 import (
    CreateMessageRequest,
    ListMessagesRequest,
    MessageServiceStub,
)
from creavio_sdk.contracts.creavio.community.v1 import (
    AcceptInviteRequest,
    ChannelServiceStub,
    CommunityServiceStub,
    CreateChannelRequest,
    CreateCommunityRequest,
    CreateInviteRequest,
    InviteServiceStub,
)


async def main(url: str) -> None:
    async with Client(url) as ada, Client(url) as grace:
        for client, name in ((ada, "ada"), (grace, "grace")):
            handle = f"{name}-{secrets.token_hex(6)}"
            await client.sign_up(handle, f"{handle}@example.org", secrets.token_urlsafe())

        community = await ada.service(CommunityServiceStub).create_community(
            CreateCommunityRequest(name="A table")
        )
        channel = await ada.service(ChannelServiceStub).create_channel(
            CreateChannelRequest(community_id=community.id, name="general")
        )
        invite = await ada.service(InviteServiceStub).create_invite(
            CreateInviteRequest(community_id=community.id)
        )
        await grace.service(InviteServiceStub).accept_invite(AcceptInviteRequest(code=invite.code))

        for client, content in ((ada, "Is anybody there?"), (grace, "I am."), (ada, "Good.")):
            # Sent twice if the answer is lost; there once, since the SDK gives it a nonce.
            await client.service(MessageServiceStub).create_message(
                CreateMessageRequest(channel_id=channel.id, content=content)
            )

        request = ListMessagesRequest(channel_id=channel.id, page_size=2)
        messages = grace.service(MessageServiceStub).list_messages
        async for message in pages(messages, request, lambda page: page.messages):
            print(message.content)
        await grace.sign_out()


asyncio.run(main(sys.argv[1]))
