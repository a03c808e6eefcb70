"""Roles that members have by what they answered, beside those they were given."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chassis import ids
from chassis.errors import Denied, FailedPrecondition, Invalid, NotFound
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1 import membership_service_pb2 as membership
from creavio.rbac.v1 import rbac_events_pb2 as events
from creavio.rbac.v1 import role_service_pb2 as role
from creavio.rbac.v1 import timeout_service_pb2 as timeouts
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceStub
from creavio.rbac.v1.role_service_pb2_grpc import RoleServiceStub
from creavio.rbac.v1.timeout_service_pb2_grpc import TimeoutServiceStub
from services.rbac.domain.permissions import IN_COMMUNITY, ORDINARY
from tests.rbac.world import Person, Rbac, Table, identifier

POWERS = sorted(IN_COMMUNITY - ORDINARY)


@pytest.fixture
async def table(rbac: Rbac) -> Table:
    made = Table(rbac, identifier(ids.Kind.COMMUNITY), rbac.person())
    await made.provision()
    return made


async def admit(
    table: Table, user_id: str, number: int, *roles: str, pending: bool = False
) -> None:
    request = membership.AdmitMemberRequest(
        community_id=table.id, user_id=user_id, number=number, pending=pending, role_ids=roles
    )
    await table.rbac.as_service(MembershipServiceStub(table.rbac.channel).AdmitMember, request)


async def bind(table: Table, user_id: str, number: int, *, pending: bool = False) -> None:
    request = membership.BindMemberRequest(
        community_id=table.id, user_id=user_id, number=number, pending=pending
    )
    await table.rbac.as_service(MembershipServiceStub(table.rbac.channel).BindMember, request)


async def held(table: Table, user_id: str) -> set[str]:
    """The roles somebody has, the member role aside."""
    request = role.GetMemberRolesRequest(community_id=table.id, user_id=user_id)
    reply = await table.owner.ask(RoleServiceStub, "GetMemberRoles", request)
    return set(reply.role_ids) - {(await table.all_roles())[-1].id}


async def offer(table: Table, person: Person, *roles: str) -> None:
    request = access.CheckOfferRequest(community_id=table.id, user_id=person.id, role_ids=roles)
    await table.rbac.as_service(AccessServiceStub(table.rbac.channel).CheckOffer, request)


async def test_an_answer_gives_its_roles_and_another_one_takes_them(table: Table) -> None:
    bob = await table.member()
    red, blue = [(await table.create(name)).id for name in ("red", "blue")]
    await admit(table, bob.id, 1, red)
    assert await held(table, bob.id) == {red}
    await admit(table, bob.id, 2, blue)
    assert await held(table, bob.id) == {blue}
    await admit(table, bob.id, 3)
    assert await held(table, bob.id) == set()
    told: list[Any] = await table.rbac.announced(events.MemberRolesChanged)
    assert [len(event.role_ids) for event in told] == [2, 2, 1]


async def test_what_was_given_by_hand_stays_before_and_after_it_was_chosen(table: Table) -> None:
    bob, eve = await table.member(), await table.member()
    red = (await table.create("red")).id
    await table.grant(table.owner, bob, red)
    await admit(table, bob.id, 1, red)
    await admit(table, eve.id, 1, red)
    await table.grant(table.owner, eve, red)
    for person in (bob, eve):
        await admit(table, person.id, 2)
        assert await held(table, person.id) == {red}


async def test_who_takes_a_role_takes_it_however_it_was_had(table: Table) -> None:
    bob = await table.member()
    red = (await table.create("red")).id
    await table.grant(table.owner, bob, red)
    await admit(table, bob.id, 1, red)
    await table.revoke(table.owner, bob, red)
    assert await held(table, bob.id) == set()


async def test_repeating_changes_nothing_and_takes_no_revision(table: Table) -> None:
    bob = await table.member()
    red = (await table.create("red")).id
    await admit(table, bob.id, 5, red)
    before = await table.rbac.announced()
    for number in (5, 4):
        await admit(table, bob.id, number)
    await admit(table, bob.id, 6, red)
    assert await table.rbac.announced() == before
    assert await held(table, bob.id) == {red}


async def test_what_comes_late_is_of_no_effect(table: Table) -> None:
    bob = identifier(ids.Kind.USER)
    red = (await table.create("red")).id
    await bind(table, bob, 1, pending=True)
    await table.unbind(bob)
    await admit(table, bob, 2, red)
    assert await table.checked(bob) == set(), "who left has nothing"
    await bind(table, bob, 4, pending=True)
    await admit(table, bob, 3, red)
    assert await held(table, bob) == set()
    assert p.PERMISSION_SEND_MESSAGES not in await table.checked(bob), "nor admits a newcomer"
    await admit(table, bob, 5, red, pending=True)
    assert await held(table, bob) == {red}
    assert p.PERMISSION_SEND_MESSAGES not in await table.checked(bob)
    await admit(table, bob, 6, red)
    assert p.PERMISSION_SEND_MESSAGES in await table.checked(bob)
    await admit(table, bob, 7, red, pending=True)
    assert p.PERMISSION_SEND_MESSAGES in await table.checked(bob), "nobody is made pending by it"


async def test_a_role_that_is_gone_or_has_power_by_now_is_not_given(table: Table) -> None:
    bob = await table.member()
    gone, risen, open_there, fine = [
        (await table.create(name)).id for name in ("gone", "risen", "open there", "fine")
    ]
    request: Any = role.DeleteRoleRequest(community_id=table.id, role_id=gone)
    await table.owner.ask(RoleServiceStub, "DeleteRole", request)
    request = role.UpdateRoleRequest(
        community_id=table.id, role_id=risen, allow=[p.PERMISSION_MANAGE_MESSAGES]
    )
    await table.owner.ask(RoleServiceStub, "UpdateRole", request)
    channel = identifier(ids.Kind.CHANNEL)
    await table.override(table.owner, channel, open_there, p.PERMISSION_PIN_MESSAGES)
    everything = [each.id for each in await table.all_roles()]
    await admit(table, bob.id, 1, gone, risen, open_there, *(set(everything) - {risen, open_there}))
    assert await held(table, bob.id) == {fine}, "and never the owner's"


async def test_whatever_is_answered_at_once_what_was_said_last_holds(table: Table) -> None:
    bob = await table.member()
    roles = [(await table.create(f"r{n}")).id for n in range(6)]
    await asyncio.gather(*(admit(table, bob.id, n + 1, each) for n, each in enumerate(roles)))
    assert await held(table, bob.id) == {roles[-1]}


async def test_a_role_that_is_chosen_lifts_nobody(table: Table) -> None:
    moderator = (await table.create("moderator", p.PERMISSION_MODERATE_MEMBERS)).id
    plain = (await table.create("plain")).id
    request = role.ReorderRolesRequest(community_id=table.id, role_ids=[plain, moderator])
    await table.owner.ask(RoleServiceStub, "ReorderRoles", request)
    eve, bob = await table.member(moderator), await table.member()
    timeout = timeouts.CreateTimeoutRequest(community_id=table.id, user_id=bob.id, seconds=60)
    stub = AccessServiceStub(table.rbac.channel)
    ranks = access.OutranksRequest(community_id=table.id, user_id=eve.id, other_id=bob.id)
    await admit(table, bob.id, 1, plain)
    assert (await table.rbac.as_service(stub.Outranks, ranks)).outranks
    await eve.ask(TimeoutServiceStub, "CreateTimeout", timeout)
    await table.grant(table.owner, bob, plain)
    assert not (await table.rbac.as_service(stub.Outranks, ranks)).outranks
    with pytest.raises(Denied):
        await eve.ask(TimeoutServiceStub, "CreateTimeout", timeout)


async def test_nobody_offers_what_they_could_not_give(table: Table) -> None:
    low = (await table.create("low")).id
    spoken = (await table.create("spoken", p.PERMISSION_CREATE_INVITES)).id
    channel = identifier(ids.Kind.CHANNEL)
    closed = (await table.create("closed")).id
    manager = (await table.create("manager", p.PERMISSION_MANAGE_ROLES)).id
    high = (await table.create("high")).id
    request = role.ReorderRolesRequest(
        community_id=table.id, role_ids=[high, manager, closed, spoken, low]
    )
    await table.owner.ask(RoleServiceStub, "ReorderRoles", request)
    bob, eve = await table.member(manager), await table.member()
    await offer(table, bob, low, spoken)
    await table.make_private(channel, table.owner.id)
    await table.override(table.owner, channel, closed, p.PERMISSION_VIEW_CHANNEL)
    for person, offered, error, reason in (
        (eve, low, Denied, "PERMISSION_DENIED"),
        (table.rbac.person(), low, NotFound, "NOT_FOUND"),
        (bob, identifier(ids.Kind.ROLE), NotFound, "NOT_FOUND"),
        (bob, high, Denied, "ROLE_TOO_HIGH"),
        (bob, manager, Denied, "ROLE_TOO_HIGH"),
        (bob, closed, Denied, "EXCEEDS_OWN_PERMISSIONS"),
        (bob, (await table.all_roles())[-1].id, Invalid, "INVALID_FIELD"),
        (table.owner, manager, FailedPrecondition, "ADMINISTRATIVE_ROLE"),
        (table.owner, (await table.all_roles())[0].id, Denied, "ROLE_TOO_HIGH"),
    ):
        with pytest.raises(error) as refused:
            await offer(table, person, *{low, offered})
        assert refused.value.reason == reason
    await offer(table, table.owner, low, closed)


@pytest.mark.parametrize("power", POWERS, ids=lambda power: power.name)
async def test_no_power_over_others_is_offered(table: Table, power: int) -> None:
    risen = (await table.create("risen", p.Permission.ValueType(power))).id
    with pytest.raises(FailedPrecondition):
        await offer(table, table.owner, risen)


async def test_a_role_with_power_in_one_channel_is_not_offered(table: Table) -> None:
    quiet = (await table.create("quiet", deny=(p.PERMISSION_MANAGE_MESSAGES,))).id
    await offer(table, table.owner, quiet)
    await table.override(
        table.owner, identifier(ids.Kind.CHANNEL), quiet, p.PERMISSION_MENTION_EVERYONE
    )
    with pytest.raises(FailedPrecondition):
        await offer(table, table.owner, quiet)
