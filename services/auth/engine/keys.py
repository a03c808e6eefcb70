"""Signs access tokens, with one key after another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import KeySetSerialization

from chassis.config import Config
from chassis.database import Database, Transaction
from chassis.telemetry import Telemetry
from services.auth.domain import keys as domain
from services.auth.domain.keys import KeptKey
from services.auth.engine.credentials import SigningKey
from services.auth.engine.sealing import Sealing
from services.auth.store import keys as store

SEALED_FOR: Final = "signing keys"
"""The purpose under which what is kept of them is sealed."""


class Keyring:
    """The keys there are: one signs, those before it and the one to come are published.

    They are kept encrypted in the database, so that all processes of auth sign with
    the same one, and none is lost with a process. The first is the one in a file.
    """

    def __init__(
        self, database: Database, config: Config, file: Path, telemetry: Telemetry
    ) -> None:
        self._database = database
        self._sealing = Sealing(config.token_key.get_secret_value(), SEALED_FOR)
        self._file = file
        self._log = telemetry.log
        self._kept: list[KeptKey] = []
        self._opened: dict[str, SigningKey] = {}

    async def start(self) -> None:
        """Have a key to sign with, before anything is to be signed."""
        now = datetime.now(UTC)
        async with self._database.transaction() as tx:
            if not self._usable(await store.keys_to_change(tx)):
                await self._add(tx, SigningKey(self._file.read_bytes()), now)
        await self.load()

    async def load(self) -> None:
        """Learn which keys there are."""
        async with self._database.reading() as tx:
            self._kept = self._usable(await store.keys(tx))

    async def tend(self) -> None:
        """Have another key take over from one that is old, and drop those that are over."""
        now = datetime.now(UTC)
        async with self._database.transaction() as tx:
            kept = self._usable(await store.keys_to_change(tx))
            signing = domain.signing(kept, now)
            if signing is None or now - signing.sign_time >= domain.SIGNS_FOR:
                await self._follow(tx, kept, now)
            await store.forget_over(tx, now)
        await self.load()

    async def rotate(self, *, withdraw: bool) -> None:
        """Have another key take over in a minute; one that is about to already will do.

        `withdraw` has nothing accepted from then on that was signed before.
        """
        now = datetime.now(UTC)
        async with self._database.transaction() as tx:
            kept = self._usable(await store.keys_to_change(tx))
            await self._follow(tx, kept, now)
            if withdraw:
                newest = (await store.keys(tx))[0]
                await store.withdraw_before(tx, newest.sign_time)
        await self.load()

    def published(self) -> list[dict[str, str]]:
        """The public halves of the keys whose signatures count, the newest first."""
        now = datetime.now(UTC)
        return [self._opened[one.id].public for one in self._kept if one.published(now)]

    async def key_set(self) -> KeySetSerialization:
        """The key set, for auth's own verifier."""
        return {"keys": [dict(one) for one in self.published()]}

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT with these claims."""
        signing = domain.signing(self._kept, datetime.now(UTC))
        assert signing is not None, "there is always a key, once there was one"
        return self._opened[signing.id].sign(claims)

    async def _follow(self, tx: Transaction, kept: list[KeptKey], now: datetime) -> None:
        if not domain.is_waiting(kept, now):
            await self._add(tx, SigningKey.made(), now + domain.PUBLISHED_BEFORE)

    async def _add(self, tx: Transaction, key: SigningKey, sign_time: datetime) -> None:
        sealed = self._sealing.seal(key.private)
        await store.add_key(tx, KeptKey(key.id, sealed, sign_time))

    def _usable(self, kept: Sequence[KeptKey]) -> list[KeptKey]:
        """The keys that can be opened: another secret than theirs makes the others useless."""
        for one in kept:
            if one.id not in self._opened:
                try:
                    self._opened[one.id] = SigningKey(self._sealing.open(one.sealed))
                except JoseError:
                    self._log.warning("a signing key cannot be opened", key=one.id)
        return [one for one in kept if one.id in self._opened]
