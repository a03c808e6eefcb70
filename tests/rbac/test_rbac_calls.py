"""rbac, asked by the services that may ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chassis import ids
from chassis.errors import Denied, FailedPrecondition, Invalid, NotFound
from chassis.masks import policy_of, roles_of
from chassis.testing import Caller
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1.access_service_pb2 import CheckRequest, GetAccessRequest
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from creavio.rbac.v1.membership_service_pb2 import (
    BindMemberRequest,
    ProvisionCommunityRequest,
    UnbindMemberRequest,
)
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceStub
from tests.live import Live

OWNER_ONLY = {
    p.PERMISSION_MANAGE_MESSAGES,
    p.PERMISSION_MANAGE_CHANNELS,
    p.PERMISSION_REMOVE_MEMBERS,
    p.PERMISSION_MANAGE_ROLES,
    p.PERMISSION_BAN_MEMBERS,
    p.PERMISSION_PIN_MESSAGES,
    p.PERMISSION_MENTION_EVERYONE,
    p.PERMISSION_MANAGE_COMMUNITY,
    p.PERMISSION_VIEW_AUDIT_LOG,
    p.PERMISSION_MODERATE_MEMBERS,
    p.PERMISSION_MANAGE_EMOJI,
    p.PERMISSION_MANAGE_EVENTS,
}
EVERYTHING = {n for n in p.Permission.values() if n} - {p.PERMISSION_ADMINISTRATE}


@pytest.fixture
async def community(live: Live) -> AsyncIterator[Caller]:
    async with live.as_service("community") as caller:
        yield caller


def identifier(kind: ids.Kind) -> str:
    return ids.text(kind, ids.new())


class Table:
    """A community as rbac knows it."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._members = MembershipServiceStub(caller.channel)
        self._access = AccessServiceStub(caller.channel)
        self.id = identifier(ids.Kind.COMMUNITY)
        self.owner = identifier(ids.Kind.USER)

    async def provision(self) -> int:
        request = ProvisionCommunityRequest(community_id=self.id, owner_id=self.owner)
        return (await self._caller.call(self._members.ProvisionCommunity, request)).revision

    async def bind(self, user: str) -> int:
        request = BindMemberRequest(community_id=self.id, user_id=user)
        return (await self._caller.call(self._members.BindMember, request)).revision

    async def unbind(self, user: str) -> int:
        request = UnbindMemberRequest(community_id=self.id, user_id=user)
        return (await self._caller.call(self._members.UnbindMember, request)).revision

    async def checked(self, user: str) -> set[int]:
        """The permissions Check grants."""
        found: set[int] = set()
        for permission in EVERYTHING:
            request = CheckRequest(user_id=user, community_id=self.id, permission=permission)
            if (await self._caller.call(self._access.Check, request)).allowed:
                found.add(permission)
        return found

    async def masked(self, user: str) -> set[int]:
        """The permissions the masks of GetAccess grant."""
        request = GetAccessRequest(user_id=user, community_id=self.id)
        reply = await self._caller.call(self._access.GetAccess, request)
        policy, roles = policy_of(reply.masks), roles_of(reply.binding)
        return {int(number) for number in EVERYTHING if policy.allows(roles, number)}


@pytest.fixture
def table(community: Caller) -> Table:
    return Table(community)


async def test_masks_and_checks_say_the_same_as_people_come_and_go(table: Table) -> None:
    bob = identifier(ids.Kind.USER)
    assert await table.checked(table.owner) == await table.masked(table.owner) == set()
    await table.provision()
    assert await table.checked(table.owner) == await table.masked(table.owner) == EVERYTHING
    assert await table.checked(bob) == await table.masked(bob) == set()
    joined = await table.bind(bob)
    expected = EVERYTHING - OWNER_ONLY
    assert await table.checked(bob) == await table.masked(bob) == expected
    assert await table.unbind(bob) > joined
    assert await table.checked(bob) == await table.masked(bob) == set()


async def test_errors_say_why(table: Table) -> None:
    with pytest.raises(NotFound):
        await table.bind(table.owner)
    await table.provision()
    with pytest.raises(FailedPrecondition) as refused:
        await table.unbind(table.owner)
    assert refused.value.reason == "LAST_OWNER"
    with pytest.raises(Invalid) as invalid:
        await table.bind("usr_nobody")
    assert invalid.value.fields[0][0] == "user_id"


async def test_nothing_is_asked_of_no_permission(table: Table, community: Caller) -> None:
    for permission in (p.PERMISSION_UNSPECIFIED, 999):
        request = CheckRequest(
            user_id=table.owner,
            community_id=table.id,
            permission=permission,  # type: ignore[arg-type]  # what is no permission
        )
        with pytest.raises(Invalid):
            await community.call(AccessServiceStub(community.channel).Check, request)


async def test_who_is_not_listed_may_not_ask(live: Live) -> None:
    async with live.as_service("rbac") as rbac:
        request = GetAccessRequest(
            user_id=identifier(ids.Kind.USER), community_id=identifier(ids.Kind.COMMUNITY)
        )
        with pytest.raises(Denied) as refused:
            await rbac.call(AccessServiceStub(rbac.channel).GetAccess, request)
    assert refused.value.reason == "CALLER_NOT_ALLOWED"
