"""GatewayService and ExportService."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.sessions import Sessions, revoked
from chassis.tokens import Tokens, page_size
from creavio.gateway.v1 import export_service_pb2, gateway_service_pb2
from creavio.gateway.v1.export_service_pb2_grpc import ExportServiceServicer
from creavio.gateway.v1.gateway_service_pb2_grpc import GatewayServiceServicer
from services.gateway.engine.exports import Exports
from services.gateway.engine.hub import Hub
from services.gateway.engine.presence import Presence
from services.gateway.engine.tokens import ResumeTokens
from services.gateway.engine.typists import Typists


class GatewayHandler(GatewayServiceServicer):
    """Serves the event stream, and what clients say of themselves."""

    def __init__(
        self,
        hub: Hub,
        presence: Presence,
        typists: Typists,
        tokens: ResumeTokens,
        sessions: Sessions,
    ) -> None:
        self._hub = hub
        self._presence = presence
        self._typists = typists
        self._tokens = tokens
        self._sessions = sessions

    async def Subscribe(  # type: ignore[override]  # replies are encoded already
        self, request: gateway_service_pb2.SubscribeRequest, context: object
    ) -> AsyncIterator[bytes]:
        me = principal()
        token = request.resume_token
        since = self._tokens.open(token, me.user_id) if token else None
        with (
            closing(await self._hub.open(me.user_id, since)) as stream,
            self._sessions.watched(me.session_id, lambda: stream.end(revoked())),
        ):
            while True:
                yield await stream.next()

    async def StartTyping(
        self, request: gateway_service_pb2.StartTypingRequest, context: object
    ) -> Empty:
        await self._typists.started(principal().user_id, request.channel_id)
        return Empty()

    async def SetPresence(
        self, request: gateway_service_pb2.SetPresenceRequest, context: object
    ) -> Empty:
        await self._presence.choose(principal().user_id, request.status)
        return Empty()

    async def ListPresences(
        self, request: gateway_service_pb2.ListPresencesRequest, context: object
    ) -> gateway_service_pb2.ListPresencesResponse:
        there = await self._presence.there(principal().user_id, request.community_id)
        return gateway_service_pb2.ListPresencesResponse(presences=there)


class ExportHandler(ExportServiceServicer):
    """Serves everything that is kept of somebody, to themself."""

    def __init__(self, exports: Exports, tokens: Tokens) -> None:
        self._exports = exports
        self._tokens = tokens

    async def ExportMe(
        self, request: export_service_pb2.ExportMeRequest, context: object
    ) -> export_service_pb2.ExportMeResponse:
        me, size = principal().user_id, page_size(request.page_size)
        at = self._tokens.page_start(request.page_token, "export", me)
        page = await self._exports.page(me, size, at)
        reply = export_service_pb2.ExportMeResponse(records=page.records)
        if page.next is not None:
            reply.next_page_token = self._tokens.next_page(page.next, "export", me)
        return reply
