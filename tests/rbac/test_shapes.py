"""The roles of one community, given to another: once, and to nobody."""

from __future__ import annotations

from typing import Any

import pytest

from chassis import ids
from chassis.errors import Invalid, NotFound
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import membership_service_pb2 as membership
from creavio.rbac.v1 import role_service_pb2 as role
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceStub
from creavio.rbac.v1.policy_shape_pb2 import OverrideShape, PolicyShape, RoleShape
from creavio.rbac.v1.role_service_pb2_grpc import RoleServiceStub
from services.rbac.domain.errors import LimitReached
from services.rbac.domain.permissions import Permission
from services.rbac.domain.policy import Override, first_policy, with_override
from services.rbac.domain.shape import OVERRIDES, shape_of
from tests.rbac.world import Rbac, Table, identifier

SEES = [p.PERMISSION_VIEW_COMMUNITY, p.PERMISSION_VIEW_CHANNEL]


@pytest.fixture
def channel() -> str:
    return identifier(ids.Kind.CHANNEL)


def shape(channel: str) -> PolicyShape:
    return PolicyShape(
        roles=[
            RoleShape(name="member", allow=[*SEES, p.PERMISSION_SEND_MESSAGES]),
            RoleShape(name="helper", color=7, allow=[p.PERMISSION_PIN_MESSAGES]),
            RoleShape(
                name="chief",
                allow=[p.PERMISSION_MANAGE_ROLES],
                deny=[p.PERMISSION_ADD_REACTIONS],
            ),
        ],
        overrides=[
            OverrideShape(channel_id=channel, role=0, deny=[p.PERMISSION_SEND_MESSAGES]),
            OverrideShape(channel_id=channel, role=2, allow=[p.PERMISSION_SEND_MESSAGES]),
        ],
    )


async def provision(rbac: Rbac, table: Table, shape: PolicyShape) -> Any:
    request = membership.ProvisionCommunityRequest(
        community_id=table.id, owner_id=table.owner.id, shape=shape
    )
    return await rbac.as_service(MembershipServiceStub(rbac.channel).ProvisionCommunity, request)


async def shaped(rbac: Rbac, table: Table, *channels: str) -> Any:
    """Without the ids of its roles, which are none of another community's."""
    request = membership.GetPolicyShapeRequest(community_id=table.id, channel_ids=channels)
    found = await rbac.as_service(MembershipServiceStub(rbac.channel).GetPolicyShape, request)
    listed = {each.id for each in (await roles(table)).values()}
    assert {each.role_id for each in found.roles} < listed
    for each in found.roles:
        each.ClearField("role_id")
    return found


async def roles(table: Table) -> dict[str, Any]:
    request = role.ListRolesRequest(community_id=table.id)
    listed = await table.owner.ask(RoleServiceStub, "ListRoles", request)
    return {each.name: each for each in listed.roles}


@pytest.fixture
def table(rbac: Rbac) -> Table:
    return Table(rbac, identifier(ids.Kind.COMMUNITY), rbac.person())


async def test_a_community_has_the_roles_it_is_given(
    rbac: Rbac, table: Table, channel: str
) -> None:
    await provision(rbac, table, shape(channel))
    assert await shaped(rbac, table, channel) == shape(channel)
    found = await roles(table)
    assert list(found) == ["owner", "chief", "helper", "member"]
    assert found["helper"].color == 7
    other = Table(rbac, identifier(ids.Kind.COMMUNITY), rbac.person())
    await provision(rbac, other, await shaped(rbac, table, channel))
    assert await shaped(rbac, other, channel) == shape(channel)


async def test_the_founder_owns_it_and_holds_none_of_its_other_roles(
    rbac: Rbac, table: Table, channel: str
) -> None:
    await provision(rbac, table, shape(channel))
    found = await roles(table)
    request = role.GetMemberRolesRequest(community_id=table.id, user_id=table.owner.id)
    held = await table.owner.ask(RoleServiceStub, "GetMemberRoles", request)
    assert list(held.role_ids) == [found["owner"].id, found["member"].id]
    bob = identifier(ids.Kind.USER)
    await table.bind(bob)
    assert await table.checked(bob) == {*SEES, p.PERMISSION_SEND_MESSAGES}


async def test_roles_have_the_ids_that_they_are_given(rbac: Rbac, table: Table) -> None:
    said = [identifier(ids.Kind.ROLE) for _ in range(3)]
    given = [RoleShape(name=f"r{n}", role_id=role_id) for n, role_id in enumerate(said)]
    given[0].allow.extend(SEES)
    await provision(rbac, table, PolicyShape(roles=given))
    assert [each.id for each in (await roles(table)).values()][:0:-1] == said


async def test_a_shape_is_taken_once(rbac: Rbac, table: Table, channel: str) -> None:
    first = await provision(rbac, table, shape(channel))
    risen = PolicyShape(roles=[RoleShape(name="member", allow=[p.PERMISSION_MANAGE_ROLES])])
    assert await provision(rbac, table, risen) == first
    assert await shaped(rbac, table, channel) == shape(channel)


async def test_of_channels_that_are_not_asked_for_nothing_is_told(
    rbac: Rbac, table: Table, channel: str
) -> None:
    await provision(rbac, table, shape(channel))
    assert not (await shaped(rbac, table, identifier(ids.Kind.CHANNEL))).overrides
    with pytest.raises(NotFound):
        await shaped(rbac, Table(rbac, identifier(ids.Kind.COMMUNITY), table.owner))


@pytest.mark.parametrize(
    ("roles", "override"),
    [
        ([RoleShape(name="member", allow=[p.PERMISSION_ADMINISTRATE])], None),
        ([RoleShape(name="member")], OverrideShape(role=1, deny=[p.PERMISSION_VIEW_CHANNEL])),
        ([RoleShape(name="member")], OverrideShape(allow=[p.PERMISSION_MANAGE_ROLES])),
        ([], None),
    ],
)
async def test_a_shape_that_cannot_be_is_refused(
    rbac: Rbac, table: Table, channel: str, roles: Any, override: Any
) -> None:
    said = PolicyShape(roles=roles)
    if override is not None:
        override.channel_id = channel
        said.overrides.append(override)
    with pytest.raises(Invalid):
        await provision(rbac, table, said)
    with pytest.raises(NotFound):
        await shaped(rbac, table)


def test_more_overrides_than_go_into_a_shape_are_refused() -> None:
    policy = first_policy(ids.new())
    member, channels = policy.roles[0].id, [ids.new() for _ in range(OVERRIDES + 1)]
    said = Override(deny=frozenset({Permission.VIEW_CHANNEL}))
    for channel in channels:
        policy = with_override(policy, channel, member, said)
    assert len(shape_of(policy, channels[:-1]).overrides) == OVERRIDES
    with pytest.raises(LimitReached):
        shape_of(policy, channels)
