"""ConsentService."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.database import Database
from creavio.auth.v1 import consent_service_pb2
from creavio.auth.v1.consent_service_pb2_grpc import ConsentServiceServicer
from services.auth import convert
from services.auth.domain import MailKind
from services.auth.engine.oauth import OAuth
from services.auth.engine.sessions import Revocations
from services.auth.store import apps, mail

MOST_LISTED: Final = 100
ASKED: Final = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
"""What an app asks with (RFC 6749, 4.1.1; RFC 7636, 4.3)."""


class ConsentHandler(ConsentServiceServicer):
    """Asks people whether apps may act for them."""

    def __init__(self, database: Database, oauth: OAuth, revocations: Revocations) -> None:
        self._database = database
        self._oauth = oauth
        self._revocations = revocations

    async def ReviewAuthorization(
        self, request: consent_service_pb2.ReviewAuthorizationRequest, context: object
    ) -> consent_service_pb2.Authorization:
        me = convert.account_id(principal().user_id)
        async with self._database.reading() as tx:
            asked = await self._oauth.review(tx, _query(request), me)
            before = await apps.consented(tx, me, asked.app.id)
        # Whoever can pass for an app that keeps no secret must not go through unseen (RFC 8252,
        # 8.6).
        consented = asked.app.secret_hash is not None and set(asked.scopes) <= set(before)
        return consent_service_pb2.Authorization(
            app=convert.app(asked.app),
            scopes=convert.wire_scopes(asked.scopes),
            consented=consented,
        )

    async def DecideAuthorization(
        self, request: consent_service_pb2.DecideAuthorizationRequest, context: object
    ) -> consent_service_pb2.DecideAuthorizationResponse:
        me = convert.account_id(principal().user_id)
        async with self._database.transaction() as tx:
            to, asked = await self._oauth.decide(tx, _query(request), me, approve=request.approve)
            if asked is not None and await apps.consent(
                tx, me, asked.app.id, asked.scopes, datetime.now(UTC)
            ):
                await mail.notify_owner(tx, MailKind.APP_LET_IN, me)
        return consent_service_pb2.DecideAuthorizationResponse(redirect_uri=to)

    async def ListConsents(
        self, request: consent_service_pb2.ListConsentsRequest, context: object
    ) -> consent_service_pb2.ListConsentsResponse:
        me = convert.account_id(principal().user_id)
        async with self._database.reading() as tx:
            found = await apps.consents_of(tx, me, MOST_LISTED)
        return consent_service_pb2.ListConsentsResponse(
            consents=[convert.consent(app, consent) for app, consent in found]
        )

    async def RevokeConsent(
        self, request: consent_service_pb2.RevokeConsentRequest, context: object
    ) -> Empty:
        me, app_id = convert.account_id(principal().user_id), convert.app_id(request.app_id)
        async with self._database.transaction() as tx:
            if await apps.take_back(tx, me, app_id):
                await mail.notify_owner(tx, MailKind.APP_SHUT_OUT, me)
            await self._revocations.end_grants(tx, account_id=me, app_id=app_id)
        await self._revocations.tell(tx)
        return Empty()


def _query(
    request: consent_service_pb2.ReviewAuthorizationRequest
    | consent_service_pb2.DecideAuthorizationRequest,
) -> dict[str, str]:
    return {name: getattr(request, name) for name in ASKED}
