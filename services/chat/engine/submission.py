"""A message on its way to the writer, whoever sends it: its author, or the clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from chassis.authz import Authorizer
from chassis.database import Database
from chassis.masks import Permission
from creavio.chat.v1 import message_pb2
from creavio.options.v1 import permission_pb2
from services.chat import convert
from services.chat.domain import message as domain
from services.chat.domain.forward import Forward
from services.chat.domain.mentions import Mentions, mentions_in
from services.chat.domain.message import Draft, Fingerprints, Reference
from services.chat.domain.place import Place
from services.chat.domain.poll import Poll
from services.chat.engine.places import Places
from services.chat.engine.writer import Writer
from services.chat.store import messages


class Submission:
    """Makes drafts of what people say, and hands them to the writer."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        known_places: Places,
        fingerprints: Fingerprints,
        authorizer: Authorizer,
    ) -> None:
        self._database = database
        self._writer = writer
        self._places = known_places
        self._fingerprints = fingerprints
        self._authorizer = authorizer

    async def submit(
        self,
        author_id: str,
        channel_id: str,
        content: str,
        nonce: str,
        reply_to: UUID | None,
        poll: Poll | None = None,
        forward: Forward | None = None,
    ) -> asyncio.Future[message_pb2.Message]:
        """Hand over a message of somebody who may write there; fails as `Writer.submit` does.

        Raises `PlaceNotFound`, and `PostsOnly` for a forum itself.
        """
        place = convert.place(channel_id)
        home = await self._places.writable(channel_id)
        draft = domain.draft(
            place,
            convert.user_id(author_id),
            content,
            nonce,
            datetime.now(UTC),
            self._fingerprints,
            mentions=await self.mentions(author_id, channel_id, content),
            reply_to=await self._answered(place, reply_to),
            poll=poll,
            forward=forward,
        )
        return self._writer.submit(
            draft,
            home,
            excused=partial(
                self.may, author_id, channel_id, permission_pb2.PERMISSION_MANAGE_MESSAGES
            ),
        )

    async def first(
        self, author_id: str, channel_id: str, thread_id: UUID, content: str, poll: Poll | None
    ) -> Draft:
        """The message that a thread about to begin in a channel begins with."""
        return domain.draft(
            Place(thread_id, thread=True),
            convert.user_id(author_id),
            content,
            "",
            datetime.now(UTC),
            self._fingerprints,
            mentions=await self.mentions(author_id, channel_id, content),
            poll=poll,
        )

    async def mentions(self, author_id: str, channel_id: str, content: str) -> Mentions:
        """What a text of somebody's mentions there. Raises `Invalid` when it is too much."""
        found = mentions_in(content)
        if found.everyone and not await self.may(
            author_id, channel_id, permission_pb2.PERMISSION_MENTION_EVERYONE
        ):
            return replace(found, everyone=False)
        return found

    async def may(self, user_id: str, channel_id: str, permission: Permission) -> bool:
        """Whether somebody holds a permission in a place."""
        return await self._authorizer.allows(
            user_id, permission, permission_pb2.SCOPE_CHANNEL, channel_id
        )

    async def _answered(self, place: Place, message_id: UUID | None) -> Reference | None:
        """What is shown of the message that is answered; whether it may be, its send says."""
        if message_id is None:
            return None
        async with self._database.reading() as tx:
            return (await messages.references(tx, place, [message_id]))[message_id]
