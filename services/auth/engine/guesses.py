"""How often a password may be guessed at, so that guessing leads nowhere and locks nobody out.

A guess is counted three times: for its source whatever it is at, for its source at
one login, and for the login wherever it comes from. The last counts only what comes
from sources the login was never proven from: whoever guesses at somebody's password
from all over the world stops other strangers, and not its owner where they sign in,
nor anywhere once they reset it by mail. Logins nobody has are counted alike.

What is counted under says neither who nor where: it is a keyed hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
import hmac
from ipaddress import ip_address, ip_network
from typing import Final

from chassis.calls import CURRENT
from chassis.config import Config
from chassis.database import Database, Transaction
from chassis.errors import Exhausted
from services.auth.store import guesses

KNOWN_LASTS: Final = timedelta(days=90)
"""For so long a source is known after the last sign-in from it."""
_FORWARDED: Final = "x-forwarded-for"
"""Where the edge says who called it; it passes on nobody else's word for it."""
_NEIGHBOURS: Final = 24
"""Of an IPv4 address, the bits that its neighbours have in common."""
_NETWORK: Final = 64
"""Of an IPv6 address, the bits that a customer is given (RFC 6177)."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many guesses in a period."""

    most: int
    period: timedelta


@dataclass(frozen=True, slots=True)
class Allowances:
    """What is allowed to whom."""

    source: Allowance = Allowance(100, timedelta(minutes=15))
    """One source, whatever it guesses at: many people may share it."""
    pair: Allowance = Allowance(10, timedelta(minutes=15))
    """One source at one login."""
    login: Allowance = Allowance(50, timedelta(hours=1))
    """Everybody at one login, from sources it was never proven from."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess that was counted."""

    source: bytes
    login: bytes
    pair: bytes
    known: bool
    """Whether the login was proven from there before."""


class Guesses:
    """Counts guesses before they are looked at, so that many at once are counted, too."""

    def __init__(self, database: Database, config: Config, allowances: Allowances) -> None:
        self._database = database
        self._key = config.token_key.get_secret_value().encode()
        self._allowances = allowances

    async def spend(self, login: str) -> Guess:
        """Count a guess at a login by whoever calls. Raises `Exhausted` when there were too many.

        What is refused is not counted, so that it adds to nobody's trouble.
        """
        allowed = self._allowances
        async with self._database.transaction() as tx:
            guess = await self._guess(tx, login)
            await _count(tx, guess.source, allowed.source)
            await _count(tx, guess.pair, allowed.pair)
            if not guess.known:
                await _count(tx, guess.login, allowed.login)
        return guess

    async def right(self, guess: Guess) -> None:
        """Say that a guess was none: who made it knew."""
        async with self._database.transaction() as tx:
            await guesses.give_back(tx, [guess.source])
            await guesses.forgive(tx, guess.pair)
            if not guess.known:
                await guesses.give_back(tx, [guess.login])
            await guesses.know(tx, guess.login, guess.source, KNOWN_LASTS)

    async def know(self, tx: Transaction, *logins: str) -> None:
        """Whoever calls has proven by mail that these logins are theirs."""
        for login in logins:
            guess = await self._guess(tx, login)
            await guesses.forgive(tx, guess.pair)
            await guesses.know(tx, guess.login, guess.source, KNOWN_LASTS)

    async def forget(self, tx: Transaction, *logins: str) -> None:
        """Forget what was counted of logins that nobody has any more, and from where."""
        for login in logins:
            await guesses.forget_login(tx, self._hash("login", login.lower()))

    async def follow(self, tx: Transaction, before: str, now: str) -> None:
        """Know somebody by another login as well as by the one before."""
        await guesses.follow_login(
            tx, self._hash("login", before.lower()), self._hash("login", now.lower())
        )

    async def _guess(self, tx: Transaction, login: str) -> Guess:
        caller, name = source(), login.lower()
        keys = self._hash("source", caller), self._hash("login", name)
        known = await guesses.knows(tx, keys[1], keys[0])
        return Guess(*keys, self._hash("pair", caller, name), known)

    def _hash(self, *parts: str) -> bytes:
        return hmac.digest(self._key, "\0".join(parts).encode(), "sha256")


def source() -> str:
    """Where the call in progress comes from: an address, or the network it is one of."""
    call = CURRENT.get()
    said = "" if call is None else call.metadata.get(_FORWARDED, "")
    try:
        address = ip_address(said)
    except ValueError:
        return said
    if address.version == 4:
        return said
    mapped = address.ipv4_mapped
    return str(mapped or ip_network((address, _NETWORK), strict=False))


def network() -> str:
    """Where the call in progress comes from, roughly: the network, and not who in it."""
    caller = source()
    try:
        return str(ip_network(f"{ip_address(caller)}/{_NEIGHBOURS}", strict=False))
    except ValueError:
        return caller


async def _count(tx: Transaction, key: bytes, allowance: Allowance) -> None:
    counted, left = await guesses.count(tx, key, allowance.period)
    if counted > allowance.most:
        raise Exhausted("too many wrong guesses; try again later", retry_after=left)
