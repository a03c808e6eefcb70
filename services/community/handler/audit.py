"""AuditService."""

from __future__ import annotations

from uuid import UUID

from chassis.calls import principal
from chassis.database import Database
from chassis.tokens import Tokens, page_size
from creavio.community.v1 import audit_service_pb2
from creavio.community.v1.audit_service_pb2_grpc import AuditServiceServicer
from services.community import convert, store


class AuditHandler(AuditServiceServicer):
    """Shows what was done."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens

    async def ListAuditLog(
        self, request: audit_service_pb2.ListAuditLogRequest, context: object
    ) -> audit_service_pb2.ListAuditLogResponse:
        size = page_size(request.page_size)
        wanted = convert.wanted(request)
        purpose = ("audit", principal().user_id, request.community_id, repr(wanted))
        start = self._tokens.page_start(request.page_token, *purpose)
        before = None if start is None else UUID(start)
        async with self._database.reading() as tx:
            found = await store.deeds_of(
                tx, convert.community_id(request.community_id), before, size + 1, wanted
            )
        reply = audit_service_pb2.ListAuditLogResponse(
            entries=[convert.deed(deed) for deed in found[:size]]
        )
        if len(found) > size:
            reply.next_page_token = self._tokens.next_page(str(found[size - 1].id), *purpose)
        return reply
