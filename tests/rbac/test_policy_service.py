"""Questions about who may do what, and why."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.errors import Denied, Invalid, NotFound
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import policy_service_pb2 as policy
from creavio.rbac.v1.policy_service_pb2_grpc import PolicyServiceStub
from tests.rbac.world import Permission, Person, Rbac, Table, identifier

MANAGE, SEND, VIEW, SEE, BAN = (
    p.PERMISSION_MANAGE_ROLES,
    p.PERMISSION_SEND_MESSAGES,
    p.PERMISSION_VIEW_CHANNEL,
    p.PERMISSION_VIEW_COMMUNITY,
    p.PERMISSION_BAN_MEMBERS,
)


async def permissions(table: Table, by: Person, of: str = "", channel: str = "") -> set[int]:
    request = policy.ListPermissionsRequest(community_id=table.id, user_id=of, channel_id=channel)
    return set((await by.ask(PolicyServiceStub, "ListPermissions", request)).permissions)


async def explained(
    table: Table, by: Person, what: Permission, of: str = "", channel: str = ""
) -> tuple[bool, list[tuple[int, str, str, str, bool]]]:
    request = policy.ExplainRequest(
        community_id=table.id, permission=what, user_id=of, channel_id=channel
    )
    reply = await by.ask(PolicyServiceStub, "Explain", request)
    assert reply.revision > 0
    return reply.allowed, [
        (s.permission, s.channel_id, s.decided_by, s.role_name, s.allowed) for s in reply.steps
    ]


async def page(
    table: Table, by: Person, what: Permission, size: int = 0, token: str = "", channel: str = ""
) -> policy.WhoMayResponse:
    request = policy.WhoMayRequest(
        community_id=table.id,
        permission=what,
        page_size=size,
        page_token=token,
        channel_id=channel,
    )
    reply: policy.WhoMayResponse = await by.ask(PolicyServiceStub, "WhoMay", request)
    return reply


async def everybody(
    table: Table, by: Person, what: Permission, size: int = 0, channel: str = ""
) -> list[str]:
    found: list[str] = []
    token, pages = "", 0
    while True:
        reply = await page(table, by, what, size, token, channel)
        assert len(reply.user_ids) <= (size or 50)
        found += reply.user_ids
        token, pages = reply.next_page_token, pages + 1
        if not token:
            return found
        assert pages < 100


async def test_people_see_what_they_may(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob, channel = await table.member(), identifier(ids.Kind.CHANNEL)
    await table.override(table.owner, channel, bob.id, deny=(SEND,))
    for place in ("", channel):
        assert await permissions(table, bob, channel=place) == await table.checked(bob.id, place)
        assert await permissions(table, table.owner, bob.id, place) == await table.checked(
            bob.id, place
        )
    assert await permissions(table, table.owner, rbac.person().id) == set()


async def test_what_others_may_is_for_who_manages_roles(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob, carol = await table.member(), await table.member()
    for attempt in (permissions(table, bob, carol.id), explained(table, bob, SEND, carol.id)):
        with pytest.raises(Denied):
            await attempt
    assert await permissions(table, bob, bob.id) == await table.checked(bob.id)
    manager = await table.member((await table.create("m", MANAGE)).id)
    assert await permissions(table, manager, table.owner.id) == await table.checked(table.owner.id)


async def test_a_channel_the_caller_cannot_see_is_not_there(rbac: Rbac) -> None:
    table, channel = await rbac.founded(), identifier(ids.Kind.CHANNEL)
    manager = await table.member((await table.create("m", MANAGE)).id)
    await table.make_private(channel, table.owner.id)
    case = policy.PolicyCase(channel_id=channel, may=[SEND])
    request = policy.TestPolicyRequest(community_id=table.id, cases=[case])
    for attempt in (
        permissions(table, manager, channel=channel),
        permissions(table, manager, table.owner.id, channel),
        explained(table, manager, VIEW, channel=channel),
        everybody(table, manager, VIEW, channel=channel),
        manager.ask(PolicyServiceStub, "TestPolicy", request),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_an_explanation_names_the_rules_that_decided(rbac: Rbac) -> None:
    table = await rbac.founded()
    roles = await table.all_roles()
    owner, member = roles[0].id, roles[-1].id
    mute, channel = await table.create("mute", deny=(SEND,)), identifier(ids.Kind.CHANNEL)
    bob = await table.member(mute.id)
    see = (SEE, "", member, "member", True)
    assert await explained(table, bob, SEND) == (False, [see, (SEND, "", mute.id, "mute", False)])
    assert await explained(table, bob, SEE) == (True, [see])
    assert await explained(table, bob, BAN) == (False, [see, (BAN, "", "", "", False)])
    view = (VIEW, "", member, "member", True)
    elsewhere = (SEND, "", mute.id, "mute", False)
    assert await explained(table, bob, SEND, channel=channel) == (False, [see, view, elsewhere])
    await table.override(table.owner, channel, member, SEND)
    here = (SEND, channel, member, "member", True)
    assert await explained(table, bob, SEND, channel=channel) == (True, [see, view, here])
    await table.override(table.owner, channel, bob.id, deny=(SEND,))
    own = (SEND, channel, bob.id, "", False)
    assert await explained(table, bob, SEND, channel=channel) == (False, [see, view, own])
    assert await explained(table, table.owner, SEND, bob.id, channel) == (False, [see, view, own])
    await table.override(table.owner, channel, bob.id, deny=(VIEW,))
    blind = (VIEW, channel, bob.id, "", False)
    assert await explained(table, table.owner, SEND, bob.id, channel) == (False, [see, blind])
    assert await explained(table, table.owner, BAN, channel=channel) == (
        True,
        [(what, "", owner, "owner", True) for what in (SEE, VIEW, BAN)],
    )
    outsider = rbac.person()
    assert await explained(table, table.owner, SEND, outsider.id) == (
        False,
        [(SEE, "", "", "", False)],
    )


async def test_who_may_is_everybody_who_may(rbac: Rbac) -> None:
    table, channel = await rbac.founded(), identifier(ids.Kind.CHANNEL)
    banning, mute = await table.create("banning", BAN), await table.create("mute", deny=(SEND,))
    people = [await table.member() for _ in range(4)]
    banner = await table.member(banning.id)
    muted = await table.member(mute.id)
    await table.override(table.owner, channel, muted.id, SEND)
    await table.override(table.owner, channel, people[0].id, deny=(VIEW,))
    everyone = [table.owner, banner, muted, *people]
    for what in (SEND, VIEW, SEE, BAN, MANAGE):
        for place in ("", channel):
            expected = {o.id for o in everyone if what in await table.checked(o.id, place)}
            for size in (0, 1, 3):
                found = await everybody(table, table.owner, what, size, place)
                assert len(found) == len(set(found))
                assert set(found) == expected
    assert await everybody(table, table.owner, p.PERMISSION_ADMINISTRATE) == []


async def test_a_page_token_is_good_for_its_own_list_alone(rbac: Rbac) -> None:
    table = await rbac.founded()
    other = await rbac.founded()
    manager = await table.member((await table.create("m", MANAGE)).id)
    token = (await page(table, manager, SEE, 1)).next_page_token
    assert token
    for attempt in (
        page(table, table.owner, SEE, 1, token),
        page(table, manager, SEND, 1, token),
        page(table, manager, SEE, 1, token, identifier(ids.Kind.CHANNEL)),
        page(other, other.owner, SEE, 1, token),
        page(table, manager, SEE, 1, "x" + token),
    ):
        with pytest.raises(Invalid) as damaged:
            await attempt
        assert damaged.value.reason == "INVALID_PAGE_TOKEN"
    assert await page(table, manager, SEE, 1, token)


async def test_who_may_looks_at_so_many_and_goes_on(rbac: Rbac) -> None:
    """6,000 members of whom the last may: no page looks at all of them."""
    table = await rbac.founded()
    mute = await table.create("mute", deny=(SEND,))
    community = {"id": ids.parse(ids.Kind.COMMUNITY, table.id, field="")}
    async with rbac.database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO binding SELECT community_id, lpad(to_hex(n), 32, '0')::uuid, id "
                "FROM role, generate_series(1, 6000) AS n "
                "WHERE community_id = :id AND (kind = 1 OR name = 'mute')".replace("::", "\\:\\:")
            ),
            community,
        )
    first = await page(table, table.owner, SEND)
    assert first.user_ids == []
    assert first.next_page_token
    assert await everybody(table, table.owner, SEND) == [table.owner.id]
    assert mute.name == "mute"


async def test_a_policy_is_held_against_expectations(rbac: Rbac) -> None:
    table, channel = await rbac.founded(), identifier(ids.Kind.CHANNEL)
    mute, banning = await table.create("mute", deny=(SEND,)), await table.create("banning", BAN)
    await table.override(table.owner, channel, mute.id, SEND)
    before = len(await rbac.announced())

    async def tested(*cases: policy.PolicyCase) -> tuple[bool, list[tuple[int, int, bool]]]:
        request = policy.TestPolicyRequest(community_id=table.id, cases=cases)
        reply = await table.owner.ask(PolicyServiceStub, "TestPolicy", request)
        return reply.passed, [(f.case_index, f.permission, f.allowed) for f in reply.failures]

    good = [
        policy.PolicyCase(may=[SEND, VIEW], may_not=[BAN]),
        policy.PolicyCase(role_ids=[mute.id], may_not=[SEND]),
        policy.PolicyCase(role_ids=[mute.id], channel_id=channel, may=[SEND]),
        policy.PolicyCase(role_ids=[mute.id, banning.id], may=[BAN], may_not=[SEND]),
    ]
    assert await tested(*good) == (True, [])
    assert await tested(*good, policy.PolicyCase(may=[BAN, SEND], may_not=[VIEW])) == (
        False,
        [(4, BAN, False), (4, VIEW, True)],
    )
    with pytest.raises(NotFound):
        await tested(policy.PolicyCase(role_ids=[identifier(ids.Kind.ROLE)], may=[SEND]))
    assert len(await rbac.announced()) == before
