"""Jumping to messages, and what a text that points to some shows of them."""

from __future__ import annotations

from datetime import UTC
from typing import Final
from uuid import UUID

from chassis.authz import Authorizer
from chassis.calls import principal
from chassis.database import Database, Transaction
from chassis.errors import Invalid
from chassis.tokens import Tokens, page_size
from chassis.wire import timestamp
from creavio.chat.v1 import message_service_pb2
from creavio.options.v1 import permission_pb2
from services.chat import convert
from services.chat.domain.message import Message
from services.chat.domain.place import Place
from services.chat.handler.shown import shown
from services.chat.store import messages

_OLDER, _NEWER = "<", ">"
_WHY: Final = "must be the only one of message_id, time and page_token"


class Browser:
    """Finds messages by where they are, for one service's handlers."""

    def __init__(self, database: Database, authorizer: Authorizer, tokens: Tokens) -> None:
        self._database = database
        self._authorizer = authorizer
        self._tokens = tokens

    async def around(
        self, request: message_service_pb2.ListMessagesAroundRequest
    ) -> message_service_pb2.ListMessagesAroundResponse:
        """What is on both sides of a place, or on the side a page is of."""
        place, size = convert.place(request.channel_id), page_size(request.page_size)
        named = (request.message_id, request.HasField("time"), request.page_token)
        if sum(map(bool, named)) != 1:
            raise Invalid(f"page_token {_WHY}", fields=(("page_token", _WHY),))
        purpose = ("messages around", principal().user_id, request.channel_id)
        start: str | None = self._tokens.page_start(request.page_token, *purpose)
        async with self._database.reading() as tx:
            newer: list[Message] = []
            older: list[Message] = []
            if start is None:
                number = await self._number(tx, place, request)
                newer = list(await messages.messages_after(tx, place, number - 1, size + 1))
                older = list(await messages.messages_before(tx, place, number, size + 1))
                # Half of each, and more of one where there is less of the other.
                half = max((size + 1) // 2, size - len(older))
                more_newer, newer = len(newer) > half, newer[:half]
                rest = size - len(newer)
                more_older, older = len(older) > rest, older[:rest]
            elif start.startswith(_NEWER):
                number = int(start[1:])
                newer = list(await messages.messages_after(tx, place, number, size + 1))
                more_newer, more_older, newer = len(newer) > size, True, newer[:size]
            else:
                number = int(start[1:])
                older = list(await messages.messages_before(tx, place, number, size + 1))
                more_newer, more_older, older = True, len(older) > size, older[:size]
            found = [*reversed(newer), *older]
            page = await shown(tx, found)
        reply = message_service_pb2.ListMessagesAroundResponse(messages=page)
        if found and more_older:
            reply.older_page_token = self._tokens.next_page(
                f"{_OLDER}{found[-1].sequence}", *purpose
            )
        if found and more_newer:
            reply.newer_page_token = self._tokens.next_page(
                f"{_NEWER}{found[0].sequence}", *purpose
            )
        return reply

    async def previews(
        self, request: message_service_pb2.ListMessagePreviewsRequest
    ) -> message_service_pb2.ListMessagePreviewsResponse:
        """What the caller may see of messages that are pointed to."""
        asked: list[tuple[Place, UUID]] = []
        for reference in request.references:
            there, _, named = reference.partition("/")
            place = convert.place(there, "references")
            asked.append((place, convert.message_id(named, "references")))
        # Asked before the messages: what is not the caller's to read is not even fetched.
        seen = {place for place in {place for place, _ in asked} if await self._sees(place)}
        wanted = [(place, message_id) for place, message_id in asked if place in seen]
        reply = message_service_pb2.ListMessagePreviewsResponse()
        if not wanted:
            return reply
        async with self._database.reading() as tx:
            found = await messages.previews(tx, {message_id for _, message_id in wanted})
        for place, message_id in wanted:
            # By its own place: through another that the caller sees nothing is shown.
            preview = found.get((place.id, message_id))
            if preview is not None:
                reply.previews.add(
                    channel_id=convert.place_id(place),
                    message_id=convert.named_message(message_id),
                    author_id=convert.named_user(preview.author_id),
                    excerpt=preview.excerpt,
                    create_time=timestamp(preview.create_time),
                )
        return reply

    async def _number(
        self,
        tx: Transaction,
        place: Place,
        request: message_service_pb2.ListMessagesAroundRequest,
    ) -> int:
        """The number at which the newer half begins."""
        if request.message_id:
            message_id = convert.message_id(request.message_id)
            return (await messages.message(tx, place, message_id)).sequence
        return await messages.last_before(tx, place, request.time.ToDatetime(UTC)) + 1

    async def _sees(self, place: Place) -> bool:
        return await self._authorizer.allows(
            principal().user_id,
            permission_pb2.PERMISSION_VIEW_CHANNEL,
            permission_pb2.SCOPE_CHANNEL,
            convert.place_id(place),
            reading=True,
        )
