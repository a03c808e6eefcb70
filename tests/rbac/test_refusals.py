"""Who is refused: every RPC that people may call, and everybody who may not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
import pytest

from chassis import catalog, ids
from chassis import contract as contracts
from chassis.errors import Denied, Error, NotFound, Unauthenticated
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1 import instance_service_pb2 as instance
from creavio.rbac.v1 import membership_service_pb2 as membership
from creavio.rbac.v1 import override_service_pb2 as override
from creavio.rbac.v1 import person_service_pb2
from creavio.rbac.v1 import policy_service_pb2 as policy
from creavio.rbac.v1 import role_service_pb2 as role
from creavio.rbac.v1 import timeout_service_pb2 as timeouts
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceStub
from creavio.rbac.v1.person_service_pb2_grpc import PersonServiceStub
from tests.rbac.world import CLAIM_CODE, STUBS, Person, Rbac, Table, identifier

SEND = p.PERMISSION_SEND_MESSAGES
RPCS = {rpc.descriptor.full_name: rpc for rpc in contracts.load(catalog.load()).rpcs_of("rbac")}
PUBLIC = {name: rpc for name, rpc in RPCS.items() if rpc.public}


@dataclass(frozen=True)
class Scene:
    """What requests are about."""

    table: Table
    role: str
    bob: str
    channel: str


Build = Callable[[Scene], Message]
REQUESTS: dict[str, Build] = {
    "RoleService.ListRoles": lambda s: role.ListRolesRequest(community_id=s.table.id),
    "RoleService.CreateRole": lambda s: role.CreateRoleRequest(community_id=s.table.id, name="x"),
    "RoleService.UpdateRole": lambda s: role.UpdateRoleRequest(
        community_id=s.table.id, role_id=s.role, name="x"
    ),
    "RoleService.ReorderRoles": lambda s: role.ReorderRolesRequest(
        community_id=s.table.id, role_ids=[s.role]
    ),
    "RoleService.DeleteRole": lambda s: role.DeleteRoleRequest(
        community_id=s.table.id, role_id=s.role
    ),
    "RoleService.GrantRole": lambda s: role.GrantRoleRequest(
        community_id=s.table.id, user_id=s.bob, role_id=s.role
    ),
    "RoleService.RevokeRole": lambda s: role.RevokeRoleRequest(
        community_id=s.table.id, user_id=s.bob, role_id=s.role
    ),
    "RoleService.GetMemberRoles": lambda s: role.GetMemberRolesRequest(
        community_id=s.table.id, user_id=s.bob
    ),
    "OverrideService.ListOverrides": lambda s: override.ListOverridesRequest(
        community_id=s.table.id, channel_id=s.channel
    ),
    "OverrideService.SetOverride": lambda s: override.SetOverrideRequest(
        community_id=s.table.id, channel_id=s.channel, target_id=s.role, deny=[SEND]
    ),
    "OverrideService.DeleteOverride": lambda s: override.DeleteOverrideRequest(
        community_id=s.table.id, channel_id=s.channel, target_id=s.role
    ),
    "PolicyService.ListPermissions": lambda s: policy.ListPermissionsRequest(
        community_id=s.table.id
    ),
    "PolicyService.WhoMay": lambda s: policy.WhoMayRequest(
        community_id=s.table.id, permission=SEND
    ),
    "PolicyService.Explain": lambda s: policy.ExplainRequest(
        community_id=s.table.id, permission=SEND
    ),
    "PolicyService.TestPolicy": lambda s: policy.TestPolicyRequest(
        community_id=s.table.id, cases=[policy.PolicyCase(may=[SEND])]
    ),
    "TimeoutService.CreateTimeout": lambda s: timeouts.CreateTimeoutRequest(
        community_id=s.table.id, user_id=s.bob, seconds=60
    ),
    "TimeoutService.ListTimeouts": lambda s: timeouts.ListTimeoutsRequest(community_id=s.table.id),
    "TimeoutService.DeleteTimeout": lambda s: timeouts.DeleteTimeoutRequest(
        community_id=s.table.id, user_id=s.bob
    ),
    "InstanceService.ListAdministrators": lambda s: instance.ListAdministratorsRequest(),
    "InstanceService.AddAdministrator": lambda s: instance.AddAdministratorRequest(user_id=s.bob),
    "InstanceService.RemoveAdministrator": lambda s: instance.RemoveAdministratorRequest(
        user_id=s.bob
    ),
    "InstanceService.ClaimInstance": lambda s: instance.ClaimInstanceRequest(code=CLAIM_CODE),
}
IN_COMMUNITY = sorted(n for n in REQUESTS if not n.startswith("InstanceService"))
FOR_MANAGERS = sorted(
    name
    for name in IN_COMMUNITY
    if PUBLIC[f"creavio.rbac.v1.{name}"].policy.permission.require
    in (p.PERMISSION_MANAGE_ROLES, p.PERMISSION_MODERATE_MEMBERS)
)


def ask(person: Person, name: str, scene: Scene) -> Awaitable[Any]:
    service, _, method = f"creavio.rbac.v1.{name}".rpartition(".")
    return person.ask(STUBS[service], method, REQUESTS[name](scene))


@pytest.fixture
async def scene(rbac: Rbac) -> Scene:
    table = await rbac.founded()
    made = await table.create("role")
    bob = await table.member()
    return Scene(table, made.id, bob.id, identifier(ids.Kind.CHANNEL))


def test_every_rpc_that_people_may_call_is_here() -> None:
    assert {f"creavio.rbac.v1.{name}" for name in REQUESTS} == PUBLIC.keys()
    assert len(FOR_MANAGERS) == 14


@pytest.mark.parametrize("name", sorted(REQUESTS))
async def test_without_a_token_or_in_an_ended_session(rbac: Rbac, scene: Scene, name: str) -> None:
    service, _, method = f"creavio.rbac.v1.{name}".rpartition(".")
    with pytest.raises(Unauthenticated):
        await rbac.nobody.call(getattr(STUBS[service](rbac.channel), method), REQUESTS[name](scene))
    owner = scene.table.owner
    await rbac.end_session(owner)
    with pytest.raises(Unauthenticated) as ended:
        await ask(owner, name, scene)
    assert ended.value.reason == "SESSION_REVOKED"


@pytest.mark.parametrize("name", IN_COMMUNITY)
async def test_outsiders_do_not_know_of_it(rbac: Rbac, scene: Scene, name: str) -> None:
    other = await rbac.founded()
    gone = await scene.table.member()
    await scene.table.unbind(gone.id)
    nowhere = Scene(
        Table(rbac, identifier(ids.Kind.COMMUNITY), gone), scene.role, scene.bob, scene.channel
    )
    for person, place in (
        (rbac.person(), scene),
        (other.owner, scene),
        (gone, scene),
        (gone, nowhere),
    ):
        with pytest.raises(NotFound):
            await ask(person, name, place)


@pytest.mark.parametrize("name", FOR_MANAGERS)
async def test_members_without_the_permission_are_denied(
    rbac: Rbac, scene: Scene, name: str
) -> None:
    powers = (p.PERMISSION_MANAGE_ROLES, p.PERMISSION_MODERATE_MEMBERS)
    manage = await scene.table.create("manager", *powers)
    former = await scene.table.member(manage.id)
    await scene.table.revoke(scene.table.owner, former, manage.id)
    for person in (await scene.table.member(), former):
        with pytest.raises(Denied) as denied:
            await ask(person, name, scene)
        assert denied.value.reason == "PERMISSION_DENIED"


@pytest.mark.parametrize("name", sorted(set(REQUESTS) - {"InstanceService.ClaimInstance"}))
async def test_nobody_administrates_by_owning(rbac: Rbac, scene: Scene, name: str) -> None:
    if name.startswith("InstanceService"):
        with pytest.raises(Denied):
            await ask(scene.table.owner, name, scene)
    else:
        await ask(scene.table.owner, name, scene)


SERVICE_REQUESTS: dict[str, Message] = {
    "Check": access.CheckRequest(permission=SEND),
    "BatchCheck": access.BatchCheckRequest(checks=[access.CheckRequest(permission=SEND)]),
    "GetAccess": access.GetAccessRequest(),
    "ListBindings": access.ListBindingsRequest(),
    "ListChanges": access.ListChangesRequest(),
    "Outranks": access.OutranksRequest(),
    "ProvisionCommunity": membership.ProvisionCommunityRequest(),
    "BindMember": membership.BindMemberRequest(),
    "AdmitMember": membership.AdmitMemberRequest(),
    "CheckOffer": access.CheckOfferRequest(),
    "UnbindMember": membership.UnbindMemberRequest(),
    "ProvisionChannel": membership.ProvisionChannelRequest(),
    "TransferOwnership": membership.TransferOwnershipRequest(),
    "ForgetChannel": membership.ForgetChannelRequest(),
    "GetPolicyShape": membership.GetPolicyShapeRequest(),
    "ListFellows": access.ListFellowsRequest(),
    "ListTies": access.ListTiesRequest(),
    "ExportPerson": person_service_pb2.ExportPersonRequest(),
}


@pytest.mark.parametrize("name", sorted(SERVICE_REQUESTS))
async def test_people_and_strangers_do_not_ask_as_services(rbac: Rbac, name: str) -> None:
    served: dict[str, Any] = {
        "access": AccessServiceStub,
        "membership": MembershipServiceStub,
        "person": PersonServiceStub,
    }
    file = SERVICE_REQUESTS[name].DESCRIPTOR.file.name
    stub = served[file.rpartition("/")[2].partition("_")[0]]
    method, request = getattr(stub(rbac.channel), name), SERVICE_REQUESTS[name]
    for caller in ("", "edge", "stranger", "rbac"):
        with pytest.raises(Error) as refused:
            await rbac.person().caller.call(method, request, x_creavio_caller=caller)
        # What is asked is looked at first; who may ask at all, then.
        assert refused.value.reason in ("CALLER_NOT_ALLOWED", "INVALID_FIELD")


def test_services_ask_what_is_here() -> None:
    internal = {rpc.descriptor.name for rpc in RPCS.values() if not rpc.public}
    assert internal == SERVICE_REQUESTS.keys()
