"""Where every way of proving who one is ends: in a session, or in a challenge before it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.calls import CURRENT
from chassis.database import Database, Transaction
from chassis.errors import Invalid
from chassis.tokens import Tokens
from creavio.auth.v1 import session_pb2
from creavio.user.v1 import user_pb2
from services.auth import convert, domain
from services.auth.domain import Account, Credentials
from services.auth.domain.second_factor import CHALLENGE_LASTS, InvalidChallenge, WrongCode
from services.auth.engine.accounts import Accounts
from services.auth.engine.cookies import Cookies
from services.auth.engine.credentials import Issuer, digest
from services.auth.engine.guesses import network
from services.auth.engine.second_factors import SecondFactors
from services.auth.store import accounts, registration, sessions

_CHALLENGE: Final = "challenge"


class SignIn:
    """Begins sessions. Nothing else does, whatever the proof was."""

    def __init__(
        self,
        database: Database,
        issuer: Issuer,
        accounts: Accounts,
        second_factors: SecondFactors,
        tokens: Tokens,
        cookies: Cookies,
    ) -> None:
        self._cookies = cookies
        self._database = database
        self._issuer = issuer
        self._accounts = accounts
        self._second_factors = second_factors
        self._tokens = tokens

    async def begin(
        self,
        account: Account,
        user: user_pb2.User | None = None,
        *,
        by_two_factors: bool = False,
    ) -> session_pb2.Session:
        """Begin a session of an account that was proven just now; its profile may be at hand.

        An account with a second factor gets a challenge instead, unless it was proven
        `by_two_factors`. Raises `WrongCredentials` when its password was changed since
        the account was read: whoever changed it ended the sessions there were.
        """
        self._cookies.check()
        now = datetime.now(UTC)
        async with self._database.transaction() as tx:
            if not await accounts.may_sign_in(tx, account.id, account.password_hash):
                raise domain.WrongCredentials
            if not by_two_factors and await self._second_factors.is_enabled(tx, account.id):
                return self._challenge(account, now)
            credentials = await self._keep(tx, account.id, now)
        user = user or await self._profile(account.id)
        return self._cookies.hand_out(convert.session(credentials, user))

    async def complete(self, challenge_token: str, code: str) -> session_pb2.Session:
        """Begin the session that a code was asked for.

        Raises `InvalidChallenge`, `WrongCode`, and `Exhausted` after too many guesses.
        """
        self._cookies.check()
        now = datetime.now(UTC)
        account_id, proven = self._challenged(challenge_token, now)
        guessing = self._second_factors.guessing(account_id)
        async with guessing, self._database.transaction() as tx:
            account = await accounts.account(tx, account_id)
            if account is None or _fingerprint(account) != proven:
                raise InvalidChallenge
            if not await accounts.may_sign_in(tx, account_id, account.password_hash):
                raise InvalidChallenge
            if not await self._second_factors.take(tx, account, code, now):
                raise WrongCode
            credentials = await self._keep(tx, account_id, now)
        user = await self._profile(account_id)
        return self._cookies.hand_out(convert.session(credentials, user))

    async def _keep(self, tx: Transaction, account_id: UUID, now: datetime) -> Credentials:
        await accounts.reactivate(tx, account_id)
        session_id = ids.new()
        unverified = await registration.is_to_verify(tx, account_id)
        credentials = self._issuer.issue(account_id, session_id, now, unverified=unverified)
        begun = domain.new_session(account_id, credentials.refresh_hash, session_id, now)
        call = CURRENT.get()
        agent = "" if call is None else call.metadata.get("user-agent", "")
        await sessions.add_session(tx, domain.begun_from(begun, agent, network()))
        return credentials

    async def _profile(self, account_id: UUID) -> user_pb2.User:
        """The profile of somebody who is here now, whether or not user was told so before."""
        await self._accounts.tell_standing(account_id)
        return await self._accounts.user(account_id)

    def _challenge(self, account: Account, now: datetime) -> session_pb2.Session:
        ends = (now + CHALLENGE_LASTS).replace(microsecond=0)
        told = [account.id.hex, int(ends.timestamp()), _fingerprint(account)]
        return convert.challenge(self._tokens.seal(told, _CHALLENGE), ends)

    def _challenged(self, token: str, now: datetime) -> tuple[UUID, str]:
        try:
            account, ends, proven = self._tokens.open(
                token, _CHALLENGE, error=lambda: Invalid("not a challenge")
            )
        except Invalid:
            raise InvalidChallenge from None
        if ends <= now.timestamp():
            raise InvalidChallenge
        return UUID(hex=account), str(proven)


def _fingerprint(account: Account) -> str:
    """What a challenge holds of the password that was proven: another voids it."""
    return digest(account.password_hash).hex()[:16]
