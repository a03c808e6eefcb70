"""GatewayService."""

from __future__ import annotations

from collections.abc import AsyncIterator

from chassis.calls import principal
from chassis.tokens import Tokens
from creavio.gateway.v1 import gateway_event_pb2, gateway_service_pb2
from creavio.gateway.v1.gateway_service_pb2_grpc import GatewayServiceServicer
from services.gateway import convert
from services.gateway.domain import HEARTBEAT_SECONDS, InvalidResumeToken, Positions
from services.gateway.engine import Hub


class GatewayHandler(GatewayServiceServicer):
    """Serves the event stream."""

    def __init__(self, hub: Hub, tokens: Tokens) -> None:
        self._hub = hub
        self._tokens = tokens

    async def Subscribe(
        self, request: gateway_service_pb2.SubscribeRequest, context: object
    ) -> AsyncIterator[gateway_service_pb2.SubscribeResponse]:
        user_id = principal().user_id
        stream = await self._hub.open(user_id, self._since(user_id, request.resume_token))
        try:
            while True:
                events = await stream.next(HEARTBEAT_SECONDS)
                yield self._batch(user_id, events or [convert.heartbeat()])
        finally:
            self._hub.close(stream)

    def _since(self, user_id: str, token: str) -> Positions | None:
        if not token:
            return None
        return convert.positions(
            self._tokens.open(token, "resume", user_id, error=InvalidResumeToken)
        )

    def _batch(
        self, user_id: str, events: list[gateway_event_pb2.Event]
    ) -> gateway_service_pb2.SubscribeResponse:
        # Everything up to these positions was queued for this stream before now,
        # and the queue is empty: a token is never ahead of what was told.
        token = self._tokens.seal(convert.sealable(self._hub.positions), "resume", user_id)
        return gateway_service_pb2.SubscribeResponse(events=events, resume_token=token)
