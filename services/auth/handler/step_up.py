"""Proving oneself once more, for what an open session alone may not do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chassis.calls import Principal, principal
from chassis.database import Database
from creavio.auth.v1 import proof_pb2
from services.auth import convert, domain
from services.auth.domain import Account
from services.auth.domain.identities import InvalidProviderAnswer
from services.auth.domain.passkeys import InvalidPasskey
from services.auth.domain.second_factor import WrongCode
from services.auth.engine.credentials import Passwords
from services.auth.engine.guesses import Guesses
from services.auth.engine.passkeys import Passkeys
from services.auth.engine.providers import Providers
from services.auth.engine.second_factors import SecondFactors
from services.auth.store import accounts


@dataclass(frozen=True, slots=True)
class Proven:
    """A caller who proved to be who they are."""

    account: Account
    session_id: UUID
    """The session they call in."""


class StepUp:
    """Asks callers for their password, for a code, for a passkey, or to sign in elsewhere."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        guesses: Guesses,
        second_factors: SecondFactors,
        passkeys: Passkeys,
        providers: Providers,
    ) -> None:
        self._providers = providers
        self._passkeys = passkeys
        self._second_factors = second_factors
        self._guesses = guesses
        self._database = database
        self._passwords = passwords

    async def prove_by(self, proof: proof_pb2.Proof) -> Proven:
        """The caller, whose password, code, passkey or account elsewhere it is.

        Raises `WrongCredentials`, `WrongCode`, `InvalidPasskey` or `InvalidProviderAnswer`,
        and `Exhausted` after too many guesses.
        """
        match proof.WhichOneof("proof"):
            case "password":
                return await self._by_password(proof.password)
            case "code":
                return await self._by_code(proof.code)
            case "provider_token":
                return await self._by_provider(proof.provider_token)
            case _:
                return await self._by_passkey(proof.passkey)

    async def _by_password(self, password: str) -> Proven:
        caller = principal()
        guess = await self._guesses.spend(caller.user_id)
        async with self._database.reading() as tx:
            account = await accounts.account(tx, convert.account_id(caller.user_id))
        kept = None if account is None else account.password_hash
        if not await self._passwords.matches(password, kept) or account is None:
            raise domain.WrongCredentials
        await self._guesses.right(guess)
        return Proven(account, convert.session_id(caller.session_id))

    async def _by_code(self, code: str) -> Proven:
        caller = principal()
        account_id = convert.account_id(caller.user_id)
        guessing = self._second_factors.guessing(account_id)
        async with guessing, self._database.transaction() as tx:
            account = await accounts.account(tx, account_id)
            if account is None or not await self._second_factors.take(
                tx, account, code, datetime.now(UTC)
            ):
                raise WrongCode
        return Proven(account, convert.session_id(caller.session_id))

    async def _by_passkey(self, answer: proof_pb2.PasskeyAnswer) -> Proven:
        caller = principal()
        account_id = convert.account_id(caller.user_id)
        async with self._database.transaction() as tx:
            owner = await self._passkeys.proven(tx, answer.challenge_token, answer.credential)
            account = await accounts.account(tx, account_id)
            if account is None or owner != account_id:
                raise InvalidPasskey
        return Proven(account, convert.session_id(caller.session_id))

    async def _by_provider(self, token: str) -> Proven:
        caller = principal()
        account_id = convert.account_id(caller.user_id)
        async with self._database.transaction() as tx:
            owner = await self._providers.proven(tx, token, meant_by(caller))
            account = await accounts.account(tx, account_id)
            if account is None or owner != account_id:
                raise InvalidProviderAnswer
        return Proven(account, convert.session_id(caller.session_id))


def meant_by(caller: Principal) -> str:
    """What a sign-in at a provider is asked for: a proof, of this caller in this session."""
    return f"{caller.user_id} {caller.session_id}"
