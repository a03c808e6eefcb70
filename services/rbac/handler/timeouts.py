"""TimeoutService."""

from __future__ import annotations

from datetime import timedelta

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency
from chassis.calls import principal
from chassis.database import Database
from chassis.tokens import Tokens, page_size
from creavio.rbac.v1 import timeout_pb2, timeout_service_pb2
from creavio.rbac.v1.timeout_service_pb2_grpc import TimeoutServiceServicer
from services.rbac import convert, events
from services.rbac.domain.permissions import Permission
from services.rbac.domain.rules import Actor, may_moderate
from services.rbac.domain.timeout import Timeout
from services.rbac.handler.changes import Change, Changes
from services.rbac.store import timeouts


class TimeoutHandler(TimeoutServiceServicer):
    """Times members out, and lets them act again."""

    def __init__(self, database: Database, changes: Changes, tokens: Tokens) -> None:
        self._database = database
        self._changes = changes
        self._tokens = tokens

    async def CreateTimeout(
        self, request: timeout_service_pb2.CreateTimeoutRequest, context: object
    ) -> timeout_pb2.Timeout:
        community_id = convert.community(request.community_id)
        user_id = convert.user(request.user_id)
        lasts = timedelta(seconds=request.seconds)
        async with self._changes.of(community_id) as change:
            claim = await idempotency.claim(change.tx, timeout_pb2.Timeout)
            if claim.reply is not None:
                return claim.reply
            actor = await self._changes.actor(change, Permission.MODERATE_MEMBERS)
            before = await timeouts.timeout_of(change.tx, community_id, user_id)
            target = await change.member(user_id)
            may_moderate(actor, change.before, target, await _rank_of_maker(change, before))
            timeout = await timeouts.time_out(
                change.tx, community_id, user_id, actor.user_id, request.reason, lasts
            )
            change.rebind(user_id)
            change.emit(events.member_timed_out(timeout))
            return await claim.keep(convert.timeout(timeout))

    async def ListTimeouts(
        self, request: timeout_service_pb2.ListTimeoutsRequest, context: object
    ) -> timeout_service_pb2.ListTimeoutsResponse:
        size = page_size(request.page_size)
        purpose = ("timeouts", principal().user_id, request.community_id)
        after = convert.moment_and_id(self._tokens.page_start(request.page_token, *purpose))
        async with self._database.reading() as tx:
            found = await timeouts.timeouts_of(
                tx, convert.community(request.community_id), after, size + 1
            )
        reply = timeout_service_pb2.ListTimeoutsResponse(
            timeouts=[convert.timeout(each) for each in found[:size]]
        )
        if len(found) > size:
            last = found[size - 1]
            reply.next_page_token = self._tokens.next_page(
                [last.expire_time.isoformat(), str(last.user_id)], *purpose
            )
        return reply

    async def DeleteTimeout(
        self, request: timeout_service_pb2.DeleteTimeoutRequest, context: object
    ) -> Empty:
        community_id = convert.community(request.community_id)
        user_id = convert.user(request.user_id)
        async with self._changes.of(community_id) as change:
            actor: Actor = await self._changes.actor(change, Permission.MODERATE_MEMBERS)
            before = await timeouts.timeout_of(change.tx, community_id, user_id)
            if before is not None:
                target = await change.holdings(user_id)
                may_moderate(actor, change.before, target, await _rank_of_maker(change, before))
                await timeouts.end(change.tx, community_id, user_id)
                change.rebind(user_id)
                change.emit(events.member_timeout_ended(before, actor.user_id))
        return Empty()


async def _rank_of_maker(change: Change, made: Timeout | None) -> int:
    """Where whoever set a timeout stands now; below everybody when they left, or none is set."""
    if made is None:
        return -1
    return (await change.holdings(made.creator_id)).rank(change.before)
