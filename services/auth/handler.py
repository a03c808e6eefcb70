"""AccountService, SessionService and KeyService."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.database import Database
from creavio.auth.v1 import (
    account_service_pb2,
    key_service_pb2,
    session_pb2,
    session_service_pb2,
)
from creavio.auth.v1.account_service_pb2_grpc import AccountServiceServicer
from creavio.auth.v1.key_service_pb2_grpc import KeyServiceServicer
from creavio.auth.v1.session_service_pb2_grpc import SessionServiceServicer
from services.auth import convert, domain, store
from services.auth.engine import Accounts, Issuer, Passwords, SigningKey, digest

MEANT_BY_ADDRESS: Final = 3
"""An address is not proven, so several accounts may name it: the oldest are tried."""


class AccountHandler(AccountServiceServicer):
    """Creates accounts."""

    def __init__(
        self, database: Database, passwords: Passwords, accounts: Accounts, issuer: Issuer
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._accounts = accounts
        self._issuer = issuer

    async def CreateAccount(
        self, request: account_service_pb2.CreateAccountRequest, context: object
    ) -> session_pb2.Session:
        account = domain.new_account(
            request.handle,
            request.email,
            request.display_name,
            await self._passwords.hash(request.password),
            datetime.now(UTC),
        )
        async with self._database.transaction() as tx:
            await store.add_account(tx, account)
        user = await self._accounts.finish_creating(account)
        return convert.session(await _sign_in(self._database, self._issuer, account.id), user)


class SessionHandler(SessionServiceServicer):
    """Begins and renews sessions."""

    def __init__(
        self, database: Database, passwords: Passwords, accounts: Accounts, issuer: Issuer
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._accounts = accounts
        self._issuer = issuer

    async def CreateSession(
        self, request: session_service_pb2.CreateSessionRequest, context: object
    ) -> session_pb2.Session:
        limit = MEANT_BY_ADDRESS if domain.is_address(request.login) else 1
        async with self._database.reading() as tx:
            meant = await store.accounts_of(tx, request.login, limit)
        account = await self._proven(meant, request.password, limit)
        credentials = await _sign_in(self._database, self._issuer, account.id)
        return convert.session(credentials, await self._accounts.user(account.id))

    async def RefreshSession(
        self, request: session_service_pb2.RefreshSessionRequest, context: object
    ) -> session_pb2.Session:
        now, session_id = datetime.now(UTC), self._issuer.session_of(request.refresh_token)
        async with self._database.transaction() as tx:
            session = await store.session_to_change(tx, session_id, now)
            if session is None:
                raise domain.InvalidRefreshToken
            current = session.refresh_hash == digest(request.refresh_token)
            credentials = self._issuer.issue(session.account_id, session_id, now)
            if current:
                await store.save_session(
                    tx, domain.refreshed(session, credentials.refresh_hash, now)
                )
            else:
                await store.end_session(tx, session_id)
        if not current:
            raise domain.InvalidRefreshToken
        return convert.session(credentials, await self._accounts.user(session.account_id))

    async def _proven(
        self, meant: Sequence[domain.Account], password: str, tries: int
    ) -> domain.Account:
        # As many tries whoever has an account: time tells nobody.
        for account in (*meant, *[None] * (tries - len(meant))):
            kept = None if account is None else account.password_hash
            if await self._passwords.matches(password, kept) and account is not None:
                return account
        raise domain.WrongCredentials


class KeyHandler(KeyServiceServicer):
    """Publishes the keys of access tokens."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    async def GetKeySet(
        self, request: key_service_pb2.GetKeySetRequest, context: object
    ) -> key_service_pb2.KeySet:
        return convert.key_set(self._key.public)


async def _sign_in(database: Database, issuer: Issuer, account_id: UUID) -> domain.Credentials:
    now, session_id = datetime.now(UTC), ids.new()
    credentials = issuer.issue(account_id, session_id, now)
    async with database.transaction() as tx:
        await store.add_session(
            tx, domain.new_session(account_id, credentials.refresh_hash, session_id, now)
        )
    return credentials
