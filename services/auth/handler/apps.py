"""AppService."""

from __future__ import annotations

from datetime import UTC, datetime
import secrets

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.database import Database
from creavio.auth.v1 import app_pb2, app_service_pb2
from creavio.auth.v1.app_service_pb2_grpc import AppServiceServicer
from services.auth import convert, domain
from services.auth.domain.apps import may_have, new_app
from services.auth.engine.credentials import digest
from services.auth.engine.sessions import Revocations
from services.auth.handler.step_up import StepUp
from services.auth.store import accounts, apps


class AppHandler(AppServiceServicer):
    """Serves apps to those who registered them."""

    def __init__(self, database: Database, step_up: StepUp, revocations: Revocations) -> None:
        self._database = database
        self._step_up = step_up
        self._revocations = revocations

    async def CreateApp(
        self, request: app_service_pb2.CreateAppRequest, context: object
    ) -> app_pb2.IssuedApp:
        account = (await self._step_up.prove_by(request.proof)).account
        secret = secrets.token_urlsafe(32) if request.confidential else ""
        app = new_app(
            account.id,
            request.name,
            request.redirect_uris,
            convert.scopes(request.scopes),
            digest(secret) if secret else None,
            datetime.now(UTC),
        )
        async with self._database.transaction() as tx:
            # Nobody registers another at the same time, nor changes the password that was proven.
            changed = await accounts.account_to_change(tx, account.id)
            if changed.password_hash != account.password_hash:
                raise domain.WrongCredentials
            await apps.add_app(tx, app)
            may_have(len(await apps.apps_of(tx, account.id)))
        return app_pb2.IssuedApp(app=convert.app(app), client_secret=secret)

    async def ListApps(
        self, request: app_service_pb2.ListAppsRequest, context: object
    ) -> app_service_pb2.ListAppsResponse:
        async with self._database.reading() as tx:
            mine = await apps.apps_of(tx, convert.account_id(principal().user_id))
        return app_service_pb2.ListAppsResponse(apps=map(convert.app, mine))

    async def RotateAppSecret(
        self, request: app_service_pb2.RotateAppSecretRequest, context: object
    ) -> app_pb2.IssuedApp:
        account = (await self._step_up.prove_by(request.proof)).account
        secret = secrets.token_urlsafe(32)
        async with self._database.transaction() as tx:
            if not await accounts.password_is(tx, account.id, account.password_hash):
                raise domain.WrongCredentials
            app = await apps.set_secret(
                tx, account.id, convert.app_id(request.app_id), digest(secret)
            )
        return app_pb2.IssuedApp(app=convert.app(app), client_secret=secret)

    async def DeleteApp(self, request: app_service_pb2.DeleteAppRequest, context: object) -> Empty:
        me, app_id = convert.account_id(principal().user_id), convert.app_id(request.app_id)
        async with self._database.transaction() as tx:
            if not await apps.owned(tx, me, app_id):
                return Empty()
            await self._revocations.end_grants(tx, app_id=app_id)
            await apps.drop_app(tx, me, app_id)
        await self._revocations.tell(tx)
        return Empty()
