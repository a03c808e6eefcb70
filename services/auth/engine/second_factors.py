"""Looks at the codes of second factors, and keeps their secrets from whoever reads the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
import hmac
from typing import Final
from uuid import UUID

from chassis.config import Config
from chassis.database import Database, Transaction
from services.auth.domain import Account, MailKind
from services.auth.domain import second_factor as domain
from services.auth.domain.second_factor import SecondFactor
from services.auth.engine.guesses import Allowance, Allowances, Guesses
from services.auth.engine.sealing import Sealing
from services.auth.store import mail
from services.auth.store import second_factors as store

ALLOWED: Final = Allowances(
    pair=Allowance(5, timedelta(minutes=15)), login=Allowance(20, timedelta(hours=1))
)
"""Guesses at codes: three of a million are right at any time."""


class SecondFactors:
    """Makes secrets and recovery codes, and tells whether a code is one."""

    def __init__(self, database: Database, config: Config) -> None:
        self._guesses = Guesses(database, config, ALLOWED)
        secret = config.token_key.get_secret_value()
        self._sealing = Sealing(secret, "second factors")
        self._hashing = hmac.digest(secret.encode(), b"recovery codes", "sha256")

    @asynccontextmanager
    async def guessing(self, account_id: UUID) -> AsyncIterator[None]:
        """Counts a guess at a code of an account, unless the block ends well.

        Raises `Exhausted` when there were too many.
        """
        guess = await self._guesses.spend(f"codes of {account_id.hex}")
        yield
        await self._guesses.right(guess)

    def seal(self, account_id: UUID, secret: str) -> str:
        """What is kept of a secret: of use for this account alone."""
        return self._sealing.seal(f"{account_id.hex}:{secret}")

    async def is_enabled(self, tx: Transaction, account_id: UUID) -> bool:
        """Whether signing in to an account asks for a code."""
        kept = await store.second_factor(tx, account_id)
        return kept is not None and kept.enable_time is not None

    def step_of(self, kept: SecondFactor, code: str, now: datetime) -> int | None:
        """The time step whose code it is: one that may be used."""
        if not domain.is_totp(code):
            return None
        return domain.step_of(self._open(kept), code, now, kept.used_step)

    async def take(self, tx: Transaction, account: Account, code: str, now: datetime) -> bool:
        """Use up a code of an account's: an app's, or a recovery code, of which it is told.

        False when it is none (any more); guesses are counted by whoever asks.
        """
        kept = await store.second_factor_to_change(tx, account.id)
        if kept is None or kept.enable_time is None:
            return False
        code = domain.typed(code)
        step = self.step_of(kept, code, now)
        if step is not None:
            await store.use_step(tx, account.id, step)
            return True
        if not await store.use_recovery_code(tx, account.id, self._hash(account.id, code)):
            return False
        await mail.notify(tx, MailKind.RECOVERY_CODE_USED, account, now)
        return True

    async def renew_recovery_codes(self, tx: Transaction, account_id: UUID) -> list[str]:
        """Recovery codes instead of those there were."""
        codes = domain.new_recovery_codes()
        hashes = [self._hash(account_id, domain.typed(code)) for code in codes]
        await store.replace_recovery_codes(tx, account_id, hashes)
        return codes

    def _open(self, kept: SecondFactor) -> str:
        owner, _, secret = self._sealing.open(kept.sealed_secret).decode().partition(":")
        assert owner == kept.account_id.hex, "a secret that was sealed for another account"
        return secret

    def _hash(self, account_id: UUID, code: str) -> bytes:
        return hmac.digest(self._hashing, account_id.bytes + code.encode(), "sha256")
