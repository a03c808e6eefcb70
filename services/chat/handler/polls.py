"""PollService."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from chassis import ids
from chassis.calls import principal
from chassis.database import Database
from chassis.tokens import Tokens, page_size
from creavio.chat.v1 import message_pb2, poll_service_pb2
from creavio.chat.v1.poll_service_pb2_grpc import PollServiceServicer
from creavio.options.v1 import permission_pb2
from services.chat import convert, events
from services.chat.domain import poll as domain
from services.chat.domain.message import NotTheAuthor, readable
from services.chat.engine.submission import Submission
from services.chat.handler.shown import shown
from services.chat.store import conversations, messages, places, polls


class PollHandler(PollServiceServicer):
    """Serves what people choose in polls."""

    def __init__(self, database: Database, submission: Submission, tokens: Tokens) -> None:
        self._database = database
        self._submission = submission
        self._tokens = tokens

    async def Vote(
        self, request: poll_service_pb2.VoteRequest, context: object
    ) -> message_pb2.Message:
        place, caller = convert.place(request.channel_id), convert.user_id(principal().user_id)
        message_id, chosen = convert.message_id(request.message_id), sorted(request.options)
        async with self._database.transaction() as tx:
            # Who waits here for the place is counted after whoever was first.
            home = await places.lock(tx, place)
            await conversations.reach_in(tx, caller, place)
            message = await messages.message(tx, place, message_id)
            readable(message)
            before = (await polls.of_person(tx, caller, [message])).get(message_id, [])
            poll = domain.vote(message.poll, before, chosen, datetime.now(UTC))
            if list(before) != chosen:
                await polls.choose(tx, message_id, caller, chosen)
                message = await messages.save(tx, replace(message, poll=poll))
                tx.emit(events.poll_updated(message, home))
            (reply,) = await shown(tx, [message])
        return reply

    async def ClosePoll(
        self, request: poll_service_pb2.ClosePollRequest, context: object
    ) -> message_pb2.Message:
        place, caller = convert.place(request.channel_id), convert.user_id(principal().user_id)
        message_id = convert.message_id(request.message_id)
        # Asked before the transaction: no call leaves from inside one.
        moderates = await self._submission.may(
            principal().user_id, request.channel_id, permission_pb2.PERMISSION_MANAGE_MESSAGES
        )
        async with self._database.transaction() as tx:
            home = await places.lock(tx, place)
            message = await messages.message(tx, place, message_id)
            readable(message)
            if message.author_id != caller and not moderates:
                raise NotTheAuthor("close the poll of")
            poll = domain.close(message.poll, datetime.now(UTC))
            if poll != message.poll:
                message = await messages.save(tx, replace(message, poll=poll))
                tx.emit(events.poll_updated(message, home))
            (reply,) = await shown(tx, [message])
        return reply

    async def ListVoters(
        self, request: poll_service_pb2.ListVotersRequest, context: object
    ) -> poll_service_pb2.ListVotersResponse:
        place, size = convert.place(request.channel_id), page_size(request.page_size)
        message_id = convert.message_id(request.message_id)
        purpose = ("voters", principal().user_id, request.message_id, str(request.option))
        start: str | None = self._tokens.page_start(request.page_token, *purpose)
        after = None if start is None else UUID(start)
        async with self._database.reading() as tx:
            message = await messages.message(tx, place, message_id)
            readable(message)
            domain.look(message.poll)
            found = await polls.voters_after(tx, message_id, request.option, after, size + 1)
        reply = poll_service_pb2.ListVotersResponse(
            user_ids=[ids.text(ids.Kind.USER, voter) for voter in found[:size]]
        )
        if len(found) > size:
            reply.next_page_token = self._tokens.next_page(str(found[size - 1]), *purpose)
        return reply
