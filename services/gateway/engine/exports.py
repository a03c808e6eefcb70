"""Asks every service that keeps something of people what it keeps of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from chassis.clients import Clients
from creavio.auth.v1 import person_service_pb2 as auth
from creavio.auth.v1.person_service_pb2_grpc import PersonServiceStub as AuthStub
from creavio.chat.v1 import person_service_pb2 as chat
from creavio.chat.v1.person_service_pb2_grpc import PersonServiceStub as ChatStub
from creavio.community.v1 import person_service_pb2 as community
from creavio.community.v1.person_service_pb2_grpc import PersonServiceStub as CommunityStub
from creavio.person.v1 import record_pb2
from creavio.rbac.v1 import person_service_pb2 as rbac
from creavio.rbac.v1.person_service_pb2_grpc import PersonServiceStub as RbacStub
from creavio.user.v1 import person_service_pb2 as user
from creavio.user.v1.person_service_pb2_grpc import PersonServiceStub as UserStub

ASKED: Final[Sequence[tuple[Any, Any]]] = (
    (AuthStub, auth.ExportPersonRequest),
    (UserStub, user.ExportPersonRequest),
    (CommunityStub, community.ExportPersonRequest),
    (RbacStub, rbac.ExportPersonRequest),
    (ChatStub, chat.ExportPersonRequest),
)
"""In this order: a page token names a service by its place."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what is kept."""

    records: Sequence[record_pb2.Record]
    next: tuple[int, str] | None
    """Where to go on: at which service, and its own page token."""


class Exports:
    """Goes from service to service."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._asked = [(stub(clients.channel).ExportPerson, made) for stub, made in ASKED]

    async def page(self, user_id: str, size: int, at: tuple[int, str] | None) -> Page:
        """What one service says next, from the first one's beginning without a place."""
        place, token = at or (0, "")
        ask, request = self._asked[place]
        reply = await self._clients.call(
            ask, request(user_id=user_id, page_size=size, page_token=token)
        )
        if reply.next_page_token:
            return Page(reply.records, (place, reply.next_page_token))
        return Page(reply.records, (place + 1, "") if place + 1 < len(self._asked) else None)
