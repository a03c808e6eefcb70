"""OAuthService."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from google.protobuf.message import Message
import grpc

from chassis.calls import CURRENT
from chassis.database import Database
from creavio.auth.v1 import oauth_service_pb2
from creavio.auth.v1.oauth_service_pb2_grpc import OAuthServiceServicer
from services.auth.domain.tokens import Scope
from services.auth.engine.ledger import AUTH_METHODS, CHALLENGE, GRANT_TYPES
from services.auth.engine.oauth import Answer, OAuth
from services.auth.engine.sessions import Revocations

STATUS = "x-creavio-status"
"""In the reply's metadata: the HTTP status the edge answers with, where the protocol wants
one with a body of its own."""

R = TypeVar("R", bound=Message)
_Context = grpc.aio.ServicerContext[Any, Any]


class OAuthHandler(OAuthServiceServicer):
    """Answers apps in the words of OAuth 2.0."""

    def __init__(self, database: Database, oauth: OAuth, revocations: Revocations) -> None:
        self._database = database
        self._oauth = oauth
        self._revocations = revocations

    async def ExchangeToken(
        self, request: oauth_service_pb2.ExchangeTokenRequest, context: _Context
    ) -> oauth_service_pb2.ExchangeTokenResponse:
        async with self._database.transaction() as tx:
            answer = await self._oauth.exchange(tx, _form(request), _basic())
        await self._revocations.tell(tx)
        return await _said(answer, oauth_service_pb2.ExchangeTokenResponse, context)

    async def RevokeOAuthToken(
        self, request: oauth_service_pb2.RevokeOAuthTokenRequest, context: _Context
    ) -> oauth_service_pb2.RevokeOAuthTokenResponse:
        async with self._database.transaction() as tx:
            answer = await self._oauth.revoke(tx, _form(request), _basic())
        await self._revocations.tell(tx)
        return await _said(answer, oauth_service_pb2.RevokeOAuthTokenResponse, context)

    async def IntrospectToken(
        self, request: oauth_service_pb2.IntrospectTokenRequest, context: _Context
    ) -> oauth_service_pb2.IntrospectTokenResponse:
        async with self._database.transaction() as tx:
            answer = await self._oauth.introspect(tx, _form(request), _basic())
        await self._revocations.tell(tx)
        return await _said(answer, oauth_service_pb2.IntrospectTokenResponse, context)

    async def GetServerMetadata(
        self, request: oauth_service_pb2.GetServerMetadataRequest, context: _Context
    ) -> oauth_service_pb2.ServerMetadata:
        url = self._oauth.url
        return oauth_service_pb2.ServerMetadata(
            issuer=url,
            authorization_endpoint=f"{url}/oauth2/authorize",
            token_endpoint=f"{url}/oauth2/token",
            revocation_endpoint=f"{url}/oauth2/revoke",
            introspection_endpoint=f"{url}/oauth2/introspect",
            scopes_supported=list(Scope),
            response_types_supported=["code"],
            grant_types_supported=GRANT_TYPES,
            token_endpoint_auth_methods_supported=[*AUTH_METHODS, "none"],
            revocation_endpoint_auth_methods_supported=[*AUTH_METHODS, "none"],
            introspection_endpoint_auth_methods_supported=AUTH_METHODS,
            code_challenge_methods_supported=[CHALLENGE],
            authorization_response_iss_parameter_supported=True,
        )


def _form(request: Message) -> Mapping[str, str]:
    return {field.name: str(value) for field, value in request.ListFields()}


def _basic() -> str:
    call = CURRENT.get()
    return "" if call is None else call.metadata.get("authorization", "")


async def _said(answer: Answer, reply: type[R], context: _Context) -> R:
    if answer.status != 200:
        metadata = [(STATUS, str(answer.status))]
        metadata += [
            (name.lower(), value)
            for name, value in answer.headers.items()
            if name.lower() == "www-authenticate"
        ]
        await context.send_initial_metadata(tuple(metadata))
    known = reply.DESCRIPTOR.fields_by_name
    return reply(**{name: value for name, value in answer.body.items() if name in known})
