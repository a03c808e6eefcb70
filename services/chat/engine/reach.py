"""Whom somebody may begin to talk to: user decides it, and is asked each time."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from chassis import ids
from chassis.clients import Clients
from creavio.user.v1 import reach_service_pb2
from creavio.user.v1.reach_service_pb2_grpc import ReachServiceStub
from services.chat import convert
from services.chat.domain.conversation import Reached


class Reach:
    """Asks user."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._users = ReachServiceStub(clients.channel)

    async def of(self, user_id: UUID, others: Collection[UUID]) -> Reached:
        """Whom of some people somebody reaches. Raises `Unavailable` when it cannot be known."""
        request = reach_service_pb2.CheckReachRequest(
            user_id=ids.text(ids.Kind.USER, user_id),
            among=[ids.text(ids.Kind.USER, other) for other in others],
        )
        reply = await self._clients.call(self._users.CheckReach, request)
        return Reached(
            frozenset(map(convert.user_id, reply.unreachable_ids)),
            frozenset(map(convert.user_id, reply.deactivated_ids)),
        )
