"""SecondFactorService."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.database import Database
from creavio.auth.v1 import second_factor_pb2, second_factor_service_pb2
from creavio.auth.v1.second_factor_service_pb2_grpc import SecondFactorServiceServicer
from services.auth import convert
from services.auth.domain import MailKind
from services.auth.domain import second_factor as domain
from services.auth.domain.second_factor import SecondFactor
from services.auth.engine.second_factors import SecondFactors
from services.auth.engine.sessions import Revocations
from services.auth.handler.step_up import StepUp
from services.auth.store import accounts, mail
from services.auth.store import second_factors as store

_ISSUER: Final = "Creavio"
"""What an app shows beside the handle."""


class SecondFactorHandler(SecondFactorServiceServicer):
    """Begins, confirms and gives up second factors."""

    def __init__(
        self,
        database: Database,
        step_up: StepUp,
        second_factors: SecondFactors,
        revocations: Revocations,
    ) -> None:
        self._database = database
        self._step_up = step_up
        self._second_factors = second_factors
        self._revocations = revocations

    async def GetSecondFactor(
        self, request: second_factor_service_pb2.GetSecondFactorRequest, context: object
    ) -> second_factor_pb2.SecondFactor:
        account_id = convert.account_id(principal().user_id)
        async with self._database.reading() as tx:
            kept = await store.second_factor(tx, account_id)
            left = await store.recovery_codes_left(tx, account_id)
        return convert.second_factor(kept, left)

    async def BeginSecondFactor(
        self, request: second_factor_service_pb2.BeginSecondFactorRequest, context: object
    ) -> second_factor_pb2.TotpSecret:
        account = (
            await self._step_up.prove_by(convert.proof(request.proof, request.current_password))
        ).account
        secret = domain.new_secret()
        begun = SecondFactor(account.id, self._second_factors.seal(account.id, secret))
        async with self._database.transaction() as tx:
            if not await store.begin(tx, begun):
                raise domain.SecondFactorEnabled
        return second_factor_pb2.TotpSecret(
            secret=secret, uri=domain.uri(secret, account.handle, _ISSUER)
        )

    async def ConfirmSecondFactor(
        self, request: second_factor_service_pb2.ConfirmSecondFactorRequest, context: object
    ) -> second_factor_pb2.RecoveryCodes:
        caller, now = principal(), datetime.now(UTC)
        account_id = convert.account_id(caller.user_id)
        guessing = self._second_factors.guessing(account_id)
        async with guessing, self._database.transaction() as tx:
            account = await accounts.account_to_change(tx, account_id)
            kept = await store.second_factor_to_change(tx, account_id)
            if kept is None:
                raise domain.NoSecondFactor
            if kept.enable_time is not None:
                raise domain.SecondFactorEnabled
            step = self._second_factors.step_of(kept, domain.typed(request.code), now)
            if step is None:
                raise domain.WrongCode
            await store.enable(tx, account_id, step, now)
            codes = await self._second_factors.renew_recovery_codes(tx, account_id)
            await mail.notify(tx, MailKind.SECOND_FACTOR_ENABLED, account, now)
            here = convert.session_id(caller.session_id)
            await self._revocations.end_all(tx, account_id, but=here)
        await self._revocations.tell(tx)
        return second_factor_pb2.RecoveryCodes(codes=codes)

    async def RenewRecoveryCodes(
        self, request: second_factor_service_pb2.RenewRecoveryCodesRequest, context: object
    ) -> second_factor_pb2.RecoveryCodes:
        account = (await self._step_up.prove_by(request.proof)).account
        async with self._database.transaction() as tx:
            kept = await store.second_factor_to_change(tx, account.id)
            if kept is None or kept.enable_time is None:
                raise domain.NoSecondFactor
            codes = await self._second_factors.renew_recovery_codes(tx, account.id)
            await mail.notify(tx, MailKind.RECOVERY_CODES_RENEWED, account, datetime.now(UTC))
        return second_factor_pb2.RecoveryCodes(codes=codes)

    async def DisableSecondFactor(
        self, request: second_factor_service_pb2.DisableSecondFactorRequest, context: object
    ) -> Empty:
        account = (await self._step_up.prove_by(request.proof)).account
        async with self._database.transaction() as tx:
            if await store.drop(tx, account.id):
                await mail.notify(tx, MailKind.SECOND_FACTOR_DISABLED, account, datetime.now(UTC))
        return Empty()
