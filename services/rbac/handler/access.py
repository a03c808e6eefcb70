"""AccessService."""

from __future__ import annotations

from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceServicer
from services.rbac import convert
from services.rbac.engine.access import LocalAccess


class AccessHandler(AccessServiceServicer):
    """Answers who may do what."""

    def __init__(self, local: LocalAccess) -> None:
        self._access = local

    async def Check(self, request: access.CheckRequest, context: object) -> access.CheckResponse:
        return await self._access.check(request)

    async def BatchCheck(
        self, request: access.BatchCheckRequest, context: object
    ) -> access.BatchCheckResponse:
        return await self._access.check_all(list(request.checks))

    async def GetAccess(
        self, request: access.GetAccessRequest, context: object
    ) -> access.GetAccessResponse:
        return await self._access.get_access(request)

    async def ListBindings(
        self, request: access.ListBindingsRequest, context: object
    ) -> access.ListBindingsResponse:
        return await self._access.list_bindings(convert.user(request.user_id))

    async def ListFellows(
        self, request: access.ListFellowsRequest, context: object
    ) -> access.ListFellowsResponse:
        among = [convert.user(one, "among") for one in request.among]
        return await self._access.list_fellows(convert.user(request.user_id), among)

    async def ListTies(
        self, request: access.ListTiesRequest, context: object
    ) -> access.ListTiesResponse:
        return await self._access.list_ties(convert.user(request.user_id))

    async def ListChanges(
        self, request: access.ListChangesRequest, context: object
    ) -> access.ListChangesResponse:
        return await self._access.list_changes(request)

    async def CheckOffer(
        self, request: access.CheckOfferRequest, context: object
    ) -> access.CheckOfferResponse:
        roles = [convert.role(role_id, "role_ids") for role_id in request.role_ids]
        community_id = convert.community(request.community_id)
        await self._access.check_offer(community_id, convert.user(request.user_id), roles)
        return access.CheckOfferResponse()

    async def Outranks(
        self, request: access.OutranksRequest, context: object
    ) -> access.OutranksResponse:
        community_id = convert.community(request.community_id)
        one, other = convert.user(request.user_id), convert.user(request.other_id, "other_id")
        return access.OutranksResponse(
            outranks=await self._access.outranks(community_id, one, other)
        )
