"""PasswordService."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.empty_pb2 import Empty

from chassis.database import Database, Transaction
from creavio.auth.v1 import password_service_pb2
from creavio.auth.v1.password_service_pb2_grpc import PasswordServiceServicer
from services.auth import convert, domain
from services.auth.domain import Account, MailKind, Purpose, new_mail
from services.auth.engine.credentials import Links, Passwords, digest
from services.auth.engine.guesses import Guesses
from services.auth.engine.sessions import Revocations
from services.auth.handler.step_up import StepUp
from services.auth.store import accounts, mail


class PasswordHandler(PasswordServiceServicer):
    """Resets and changes passwords."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        step_up: StepUp,
        links: Links,
        revocations: Revocations,
        guesses: Guesses,
    ) -> None:
        self._guesses = guesses
        self._database = database
        self._passwords = passwords
        self._step_up = step_up
        self._links = links
        self._revocations = revocations

    async def RequestPasswordReset(
        self, request: password_service_pb2.RequestPasswordResetRequest, context: object
    ) -> Empty:
        # Who has the address is seen when the mail is sent, when nobody waits for an answer.
        asked = new_mail(MailKind.RESET_PASSWORD, request.email, datetime.now(UTC))
        async with self._database.transaction() as tx:
            await mail.add_mail(tx, asked)
        return Empty()

    async def ResetPassword(
        self, request: password_service_pb2.ResetPasswordRequest, context: object
    ) -> Empty:
        purpose = Purpose.RESET_PASSWORD
        proof_id = self._links.proof_of(purpose, request.token)
        made = await self._passwords.hash(request.new_password)
        async with self._database.transaction() as tx:
            now = datetime.now(UTC)
            proof = await mail.take_proof(tx, proof_id, digest(request.token), purpose, now)
            if proof is None:
                raise domain.InvalidLink
            account = await accounts.account_to_change(tx, proof.account_id)
            # One for no address was handed over by whoever runs the instance.
            if proof.email and account.verified_email != proof.email:
                raise domain.InvalidLink
            await _set(tx, account, made)
            # Whoever else guesses at the password keeps its owner from signing in no more.
            await self._guesses.know(tx, account.handle, account.email)
            await self._revocations.end_all(tx, account.id)
        await self._revocations.tell(tx)
        return Empty()

    async def ChangePassword(
        self, request: password_service_pb2.ChangePasswordRequest, context: object
    ) -> Empty:
        proven = await self._step_up.prove_by(
            convert.proof(request.proof, request.current_password)
        )
        account = proven.account
        made = await self._passwords.hash(request.new_password)
        async with self._database.transaction() as tx:
            await _set(tx, account, made)
            await self._revocations.end_all(tx, account.id, but=proven.session_id)
        await self._revocations.tell(tx)
        return Empty()


async def _set(tx: Transaction, account: Account, password_hash: str) -> None:
    if not await accounts.set_password(tx, account, password_hash):
        raise domain.PasswordChanged
    # Whoever knew the old one may have asked for another address, or another password yet.
    await mail.void(tx, account)
    await mail.notify(tx, MailKind.PASSWORD_CHANGED, account, datetime.now(UTC))
