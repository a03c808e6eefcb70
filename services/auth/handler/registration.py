"""RegistrationService."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency, wire
from chassis.database import Database
from creavio.auth.v1 import registration_pb2, registration_service_pb2
from creavio.auth.v1.registration_service_pb2_grpc import RegistrationServiceServicer
from services.auth import convert
from services.auth.domain import registration as domain
from services.auth.store import registration as store


class RegistrationHandler(RegistrationServiceServicer):
    """Says who may sign up, and makes codes for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def GetRegistration(
        self, request: registration_service_pb2.GetRegistrationRequest, context: object
    ) -> registration_pb2.Registration:
        async with self._database.reading() as tx:
            return convert.registration(await store.registration(tx))

    async def UpdateRegistration(
        self, request: registration_service_pb2.UpdateRegistrationRequest, context: object
    ) -> registration_pb2.Registration:
        changes = convert.registration_changes(wire.changes(request, convert.REGISTRATION))
        async with self._database.transaction() as tx:
            changed = replace(await store.registration_to_change(tx), **changes)
            await store.save(tx, changed)
        return convert.registration(changed)

    async def CreateSignUpCode(
        self, request: registration_service_pb2.CreateSignUpCodeRequest, context: object
    ) -> registration_pb2.SignUpCode:
        lasts = domain.CODE_LASTS
        if request.HasField("lifetime_days"):
            lasts = timedelta(days=request.lifetime_days)
        code = domain.new_code(request.max_uses or 1, lasts, datetime.now(UTC))
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, registration_pb2.SignUpCode)
            if claim.reply is not None:
                return claim.reply
            # Nobody makes another at the same time.
            await store.registration_to_change(tx)
            domain.may_have_another(len(await store.working_codes(tx)))
            await store.add_code(tx, code)
            return await claim.keep(convert.sign_up_code(code))

    async def ListSignUpCodes(
        self, request: registration_service_pb2.ListSignUpCodesRequest, context: object
    ) -> registration_service_pb2.ListSignUpCodesResponse:
        async with self._database.reading() as tx:
            codes = await store.working_codes(tx)
        return registration_service_pb2.ListSignUpCodesResponse(
            codes=map(convert.sign_up_code, codes)
        )

    async def DeleteSignUpCode(
        self, request: registration_service_pb2.DeleteSignUpCodeRequest, context: object
    ) -> Empty:
        async with self._database.transaction() as tx:
            await store.drop_code(tx, request.code)
        return Empty()
