"""Where every way of proving who one is ends: in a session."""

from __future__ import annotations

from datetime import UTC, datetime

from chassis import ids
from chassis.database import Database
from creavio.auth.v1 import session_pb2
from creavio.user.v1 import user_pb2
from services.auth import convert, domain
from services.auth.domain import Account
from services.auth.engine.accounts import Accounts
from services.auth.engine.credentials import Issuer
from services.auth.store import accounts, sessions


class SignIn:
    """Begins sessions. Nothing else does, whatever the proof was."""

    def __init__(self, database: Database, issuer: Issuer, accounts: Accounts) -> None:
        self._database = database
        self._issuer = issuer
        self._accounts = accounts

    async def begin(
        self, account: Account, user: user_pb2.User | None = None
    ) -> session_pb2.Session:
        """Begin a session of an account that was proven just now; its profile may be at hand.

        Raises `WrongCredentials` when its password was changed since the account was
        read: whoever changed it ended the sessions there were.
        """
        now, session_id = datetime.now(UTC), ids.new()
        credentials = self._issuer.issue(account.id, session_id, now)
        async with self._database.transaction() as tx:
            if not await accounts.password_is(tx, account.id, account.password_hash):
                raise domain.WrongCredentials
            await sessions.add_session(
                tx, domain.new_session(account.id, credentials.refresh_hash, session_id, now)
            )
        return convert.session(credentials, user or await self._accounts.user(account.id))
