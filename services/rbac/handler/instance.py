"""InstanceService."""

from __future__ import annotations

import hmac

from google.protobuf.empty_pb2 import Empty
from pydantic import SecretStr

from chassis.calls import principal
from creavio.rbac.v1 import instance_service_pb2
from creavio.rbac.v1.instance_service_pb2_grpc import InstanceServiceServicer
from services.rbac import convert
from services.rbac.domain.errors import ClaimRefused
from services.rbac.domain.permissions import Permission
from services.rbac.domain.policy import INSTANCE
from services.rbac.domain.rules import may_administrate, may_claim, may_stop_administrating
from services.rbac.engine.moments import Moments
from services.rbac.handler.changes import Changes
from services.rbac.store import people


class InstanceHandler(InstanceServiceServicer):
    """Shows and changes who administrates the instance."""

    def __init__(self, moments: Moments, changes: Changes, claim_code: SecretStr | None) -> None:
        self._moments = moments
        self._changes = changes
        self._claim_code = claim_code

    async def ListAdministrators(
        self, request: instance_service_pb2.ListAdministratorsRequest, context: object
    ) -> instance_service_pb2.ListAdministratorsResponse:
        moment = await self._moments.of(INSTANCE, convert.user(principal().user_id))
        (administrator,) = moment.policy.roles
        async with self._moments.snapshot() as tx:
            found = await people.holders(tx, administrator.id)
        return instance_service_pb2.ListAdministratorsResponse(
            user_ids=[convert.user_text(user_id) for user_id in sorted(found)]
        )

    async def AddAdministrator(
        self, request: instance_service_pb2.AddAdministratorRequest, context: object
    ) -> Empty:
        user_id = convert.user(request.user_id)
        async with self._changes.of(INSTANCE) as change:
            await self._changes.actor(change, Permission.ADMINISTRATE)
            (administrator,) = change.before.roles
            present = await people.holders(change.tx, administrator.id)
            if user_id not in present:
                may_administrate(present)
                await people.bind(change.tx, INSTANCE, user_id, [administrator.id])
                change.rebind(user_id)
        return Empty()

    async def RemoveAdministrator(
        self, request: instance_service_pb2.RemoveAdministratorRequest, context: object
    ) -> Empty:
        user_id = convert.user(request.user_id)
        async with self._changes.of(INSTANCE) as change:
            await self._changes.actor(change, Permission.ADMINISTRATE)
            (administrator,) = change.before.roles
            present = await people.holders(change.tx, administrator.id)
            may_stop_administrating(user_id, present)
            if await people.take(change.tx, INSTANCE, user_id, administrator.id):
                change.rebind(user_id)
        return Empty()

    async def ClaimInstance(
        self, request: instance_service_pb2.ClaimInstanceRequest, context: object
    ) -> Empty:
        user_id = convert.user(principal().user_id)
        if not self._is_code(request.code):
            raise ClaimRefused
        async with self._changes.of(INSTANCE) as change:
            (administrator,) = change.before.roles
            may_claim(user_id, await people.holders(change.tx, administrator.id))
            if await people.bind(change.tx, INSTANCE, user_id, [administrator.id]):
                change.rebind(user_id)
        return Empty()

    def _is_code(self, shown: str) -> bool:
        code = None if self._claim_code is None else self._claim_code.get_secret_value()
        return bool(code) and hmac.compare_digest(shown.encode(), str(code).encode())
