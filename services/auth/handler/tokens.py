"""TokenService."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.database import Database
from creavio.auth.v1 import token_pb2, token_service_pb2
from creavio.auth.v1.token_service_pb2_grpc import TokenServiceServicer
from services.auth import convert, domain
from services.auth.domain import MailKind
from services.auth.domain.tokens import TOKEN_LASTS, may_have_another, new_token
from services.auth.engine.credentials import Issuer
from services.auth.engine.sessions import Revocations
from services.auth.handler.step_up import StepUp
from services.auth.store import accounts, mail, tokens


class TokenHandler(TokenServiceServicer):
    """Makes, lists and ends personal tokens."""

    def __init__(
        self, database: Database, step_up: StepUp, issuer: Issuer, revocations: Revocations
    ) -> None:
        self._database = database
        self._step_up = step_up
        self._issuer = issuer
        self._revocations = revocations

    async def CreateToken(
        self, request: token_service_pb2.CreateTokenRequest, context: object
    ) -> token_pb2.IssuedToken:
        account = (await self._step_up.prove_by(request.proof)).account
        lifetime = TOKEN_LASTS
        if request.HasField("lifetime_days"):
            lifetime = timedelta(days=request.lifetime_days)
        token = new_token(
            account.id,
            account.id,
            request.name,
            convert.scopes(request.scopes),
            datetime.now(UTC),
            lifetime,
        )
        async with self._database.transaction() as tx:
            # Nobody makes another at the same time, nor changes the password that was proven,
            # nor deactivates the account, which ends the tokens there are.
            changed = await accounts.account_to_change(tx, account.id)
            if changed.deactivate_time or changed.password_hash != account.password_hash:
                raise domain.WrongCredentials
            may_have_another(len(await tokens.tokens_of(tx, account.id, account.id)))
            await tokens.add_token(tx, token)
            await mail.notify_owner(tx, MailKind.TOKEN_CREATED, account.id)
        return token_pb2.IssuedToken(
            token=convert.token(token), access_token=self._issuer.access_token(token)
        )

    async def ListTokens(
        self, request: token_service_pb2.ListTokensRequest, context: object
    ) -> token_service_pb2.ListTokensResponse:
        me = convert.account_id(principal().user_id)
        async with self._database.reading() as tx:
            found = await tokens.tokens_of(tx, me, me)
        return token_service_pb2.ListTokensResponse(tokens=map(convert.token, found))

    async def RevokeToken(
        self, request: token_service_pb2.RevokeTokenRequest, context: object
    ) -> Empty:
        me, token_id = convert.account_id(principal().user_id), convert.token_id(request.token_id)
        async with self._database.transaction() as tx:
            if await self._revocations.end_tokens(tx, me, me, only=token_id):
                await mail.notify_owner(tx, MailKind.TOKEN_REVOKED, me)
        await self._revocations.tell(tx)
        return Empty()
