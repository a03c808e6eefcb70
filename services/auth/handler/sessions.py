"""SessionService."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.database import Database
from creavio.auth.v1 import session_pb2, session_service_pb2
from creavio.auth.v1.session_service_pb2_grpc import SessionServiceServicer
from services.auth import convert, domain
from services.auth.engine.accounts import Accounts
from services.auth.engine.cookies import Cookies
from services.auth.engine.credentials import Issuer, Passwords, digest
from services.auth.engine.guesses import Guesses
from services.auth.engine.sessions import Revocations
from services.auth.engine.sign_in import SignIn
from services.auth.store import accounts, registration, sessions

CURRENT: Final = "current"
"""The session a call is made in."""
EVERYBODY: Final = "everybody"
MOST_LISTED: Final = 100


class SessionHandler(SessionServiceServicer):
    """Begins, renews, lists and ends sessions."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        accounts: Accounts,
        issuer: Issuer,
        revocations: Revocations,
        guesses: Guesses,
        sign_in: SignIn,
        cookies: Cookies,
    ) -> None:
        self._cookies = cookies
        self._sign_in = sign_in
        self._guesses = guesses
        self._revocations = revocations
        self._database = database
        self._passwords = passwords
        self._accounts = accounts
        self._issuer = issuer

    async def CreateSession(
        self, request: session_service_pb2.CreateSessionRequest, context: object
    ) -> session_pb2.Session:
        guess = await self._guesses.spend(request.login)
        async with self._database.reading() as tx:
            account = await accounts.account_by(tx, request.login)
        # As much work whoever has an account: time tells nobody.
        kept = None if account is None else account.password_hash
        if not await self._passwords.matches(request.password, kept) or account is None:
            raise domain.WrongCredentials
        session = await self._sign_in.begin(account)
        await self._guesses.right(guess)
        return session

    async def CompleteSession(
        self, request: session_service_pb2.CompleteSessionRequest, context: object
    ) -> session_pb2.Session:
        return await self._sign_in.complete(request.challenge_token, request.code)

    async def RefreshSession(
        self, request: session_service_pb2.RefreshSessionRequest, context: object
    ) -> session_pb2.Session:
        kept = "" if request.refresh_token else self._cookies.shown()
        token = request.refresh_token or kept
        now, session_id = datetime.now(UTC), self._issuer.session_of(token)
        async with self._database.transaction() as tx:
            session = await sessions.session_to_change(tx, session_id, now)
            if session is None:
                raise domain.InvalidRefreshToken
            presented = domain.presented(session, digest(token), now)
            unverified = await registration.is_to_verify(tx, session.account_id)
            credentials = self._issuer.issue(
                session.account_id, session_id, now, after=token, unverified=unverified
            )
            if presented is domain.Presented.CURRENT:
                changed = domain.refreshed(session, credentials.refresh_hash, now)
                await sessions.save_session(tx, changed)
        if presented is domain.Presented.REPLAYED:
            # One of the two who hold it is not its owner: nobody goes on with it.
            await self._revocations.revoke(session_id, session.account_id)
            raise domain.InvalidRefreshToken
        renewed = convert.session(credentials, await self._accounts.user(session.account_id))
        return self._cookies.hand_out(renewed, always=bool(kept))

    async def ListSessions(
        self, request: session_service_pb2.ListSessionsRequest, context: object
    ) -> session_service_pb2.ListSessionsResponse:
        caller = principal()
        account_id = convert.account_id(caller.user_id)
        async with self._database.reading() as tx:
            lasting = await sessions.sessions_of(tx, account_id, datetime.now(UTC), MOST_LISTED)
        current = convert.session_id(caller.session_id)
        return session_service_pb2.ListSessionsResponse(
            sessions=[convert.active_session(s, current=s.id == current) for s in lasting]
        )

    async def RevokeSession(
        self, request: session_service_pb2.RevokeSessionRequest, context: object
    ) -> Empty:
        caller = principal()
        named = caller.session_id if request.session_id == CURRENT else request.session_id
        await self._revocations.revoke(
            convert.session_id(named), convert.account_id(caller.user_id)
        )
        if request.session_id == CURRENT:
            self._cookies.take_back()
        return Empty()

    async def EndSessions(
        self, request: session_service_pb2.EndSessionsRequest, context: object
    ) -> Empty:
        if request.user_id == EVERYBODY:
            await self._revocations.end_everybodys()
            return Empty()
        async with self._database.transaction() as tx:
            await self._revocations.end_all(tx, convert.account_id(request.user_id))
        await self._revocations.tell(tx)
        return Empty()
