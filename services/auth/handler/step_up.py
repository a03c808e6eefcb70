"""Proving oneself once more, for what an open session alone may not do."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from chassis.calls import principal
from chassis.database import Database
from services.auth import convert, domain
from services.auth.domain import Account
from services.auth.engine.credentials import Passwords
from services.auth.engine.guesses import Guesses
from services.auth.store import accounts


@dataclass(frozen=True, slots=True)
class Proven:
    """A caller who knows their password."""

    account: Account
    session_id: UUID
    """The session they call in."""


class StepUp:
    """Asks callers for their password."""

    def __init__(self, database: Database, passwords: Passwords, guesses: Guesses) -> None:
        self._guesses = guesses
        self._database = database
        self._passwords = passwords

    async def prove(self, password: str) -> Proven:
        """The caller, whose password it is.

        Raises `WrongCredentials`, and `Exhausted` when there were too many guesses.
        """
        caller = principal()
        guess = await self._guesses.spend(caller.user_id)
        async with self._database.reading() as tx:
            account = await accounts.account(tx, convert.account_id(caller.user_id))
        kept = None if account is None else account.password_hash
        if not await self._passwords.matches(password, kept) or account is None:
            raise domain.WrongCredentials
        await self._guesses.right(guess)
        return Proven(account, convert.session_id(caller.session_id))
