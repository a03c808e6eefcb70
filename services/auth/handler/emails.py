"""EmailService."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.database import Database
from chassis.errors import NotFound
from creavio.auth.v1 import email_service_pb2
from creavio.auth.v1.email_service_pb2_grpc import EmailServiceServicer
from services.auth import convert, domain
from services.auth.domain import MailKind, Purpose, new_mail
from services.auth.engine.credentials import Links, digest
from services.auth.engine.sessions import Revocations
from services.auth.handler.step_up import StepUp
from services.auth.store import accounts, mail


class EmailHandler(EmailServiceServicer):
    """Verifies and changes addresses."""

    def __init__(
        self, database: Database, step_up: StepUp, links: Links, revocations: Revocations
    ) -> None:
        self._database = database
        self._step_up = step_up
        self._links = links
        self._revocations = revocations

    async def GetEmail(
        self, request: email_service_pb2.GetEmailRequest, context: object
    ) -> email_service_pb2.Email:
        async with self._database.reading() as tx:
            account = await accounts.account(tx, convert.account_id(principal().user_id))
        if account is None:
            raise NotFound("there is no such account")
        return convert.email(account)

    async def VerifyEmail(
        self, request: email_service_pb2.VerifyEmailRequest, context: object
    ) -> Empty:
        now, purpose = datetime.now(UTC), Purpose.VERIFY_EMAIL
        proof_id = self._links.proof_of(purpose, request.token)
        async with self._database.transaction() as tx:
            proof = await mail.take_proof(tx, proof_id, digest(request.token), purpose, now)
            if proof is None:
                raise domain.InvalidLink
            before = await accounts.account_to_change(tx, proof.account_id)
            await accounts.verify_email(tx, proof.account_id, proof.email, now)
            await mail.drop_proofs(tx, proof.account_id, purpose)
            if before.email != proof.email:
                await mail.drop_proofs(tx, proof.account_id, Purpose.RESET_PASSWORD)
                await mail.notify(tx, MailKind.EMAIL_CHANGED, before, now)
        return Empty()

    async def ResendVerification(
        self, request: email_service_pb2.ResendVerificationRequest, context: object
    ) -> Empty:
        # Who has an account is seen when the mail is sent, when nobody waits for an answer.
        asked = new_mail(MailKind.VERIFY_EMAIL, request.email, datetime.now(UTC), request.handle)
        async with self._database.transaction() as tx:
            await mail.add_mail(tx, asked)
        return Empty()

    async def ChangeEmail(
        self, request: email_service_pb2.ChangeEmailRequest, context: object
    ) -> Empty:
        proven = await self._step_up.prove_by(
            convert.proof(request.proof, request.current_password)
        )
        account, now = proven.account, datetime.now(UTC)
        async with self._database.transaction() as tx:
            if not await accounts.password_is(tx, account.id, account.password_hash):
                raise domain.WrongCredentials
            await mail.add_mail(
                tx, new_mail(MailKind.CHANGE_EMAIL, request.email, now, account.handle)
            )
            await self._revocations.end_all(tx, account.id, but=proven.session_id)
        await self._revocations.tell(tx)
        return Empty()
