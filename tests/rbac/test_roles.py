"""Roles, as people make, change, order, give and take them."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.errors import Conflict, Denied, Error, FailedPrecondition, Invalid, NotFound
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import rbac_events_pb2 as events
from creavio.rbac.v1 import role_pb2
from creavio.rbac.v1 import role_service_pb2 as role
from creavio.rbac.v1.role_service_pb2_grpc import RoleServiceStub
from tests.rbac.world import Person, Rbac, Table, identifier

MANAGE, SEND, BAN = (
    p.PERMISSION_MANAGE_ROLES,
    p.PERMISSION_SEND_MESSAGES,
    p.PERMISSION_BAN_MEMBERS,
)
CHANGES = (events.PolicyChanged, events.BindingChanged)


async def update(table: Table, by: Person, role_id: str, **fields: Any) -> role_pb2.Role:
    mask = fields.pop("mask", None)
    request = role.UpdateRoleRequest(community_id=table.id, role_id=role_id, **fields)
    if mask is not None:
        request.update_mask.paths.extend(mask)
    changed: role_pb2.Role = await by.ask(RoleServiceStub, "UpdateRole", request)
    return changed


async def reorder(table: Table, by: Person, *role_ids: str) -> list[str]:
    request = role.ReorderRolesRequest(community_id=table.id, role_ids=role_ids)
    reply = await by.ask(RoleServiceStub, "ReorderRoles", request)
    return [found.id for found in reply.roles]


async def delete(table: Table, by: Person, role_id: str) -> None:
    request = role.DeleteRoleRequest(community_id=table.id, role_id=role_id)
    await by.ask(RoleServiceStub, "DeleteRole", request)


async def held(table: Table, of: Person, by: Person | None = None) -> list[str]:
    request = role.GetMemberRolesRequest(community_id=table.id, user_id=of.id)
    reply = await (by or of).ask(RoleServiceStub, "GetMemberRoles", request)
    return list(reply.role_ids)


async def names(table: Table) -> list[str]:
    return [found.name for found in await table.all_roles()]


async def test_roles_are_listed_the_highest_first(rbac: Rbac) -> None:
    table = await rbac.founded()
    low = await table.create("first", SEND)
    await table.create("second", deny=(BAN,))
    member = await table.member()
    found = await table.all_roles(member)
    assert [(r.name, r.position) for r in found] == [
        ("owner", 3),
        ("first", 2),
        ("second", 1),
        ("member", 0),
    ]
    assert [r.kind for r in found] == [3, 2, 2, 1]
    assert found[1].id == low.id
    assert found[1].create_time == low.create_time
    assert low.position == 1, "it stood just above the members then"
    assert len({r.etag for r in found}) == 4
    assert found[2].deny == [BAN]


async def test_a_role_is_created_once_under_one_key(rbac: Rbac) -> None:
    table = await rbac.founded()
    made = await table.create("mod", SEND, key="k")
    assert await table.create("mod", SEND, key="k") == made
    with pytest.raises(Conflict) as reused:
        await table.create("other", SEND, key="k")
    assert reused.value.reason == "IDEMPOTENCY_KEY_REUSED"
    assert (await table.create("mod", SEND, key="")).id != made.id
    assert len(await rbac.announced(events.RoleCreated)) == 2


async def test_what_is_created_is_announced(rbac: Rbac) -> None:
    table = await rbac.founded()
    before = len(await rbac.announced())
    made = await table.create("mod", SEND)
    policy, created, order, deed = (await rbac.announced())[before:]
    assert policy == events.PolicyChanged(community_id=table.id, version=2, revision=3)
    assert created == events.RoleCreated(role=made)
    assert isinstance(order, events.RolesReordered)
    assert list(order.role_ids) == [r.id for r in await table.all_roles()]
    assert isinstance(deed, events.PolicyDeed)
    assert len(rbac.told.said) == 3, "people are told by the outbox alone"


async def test_a_role_is_changed_in_what_is_named(rbac: Rbac) -> None:
    table = await rbac.founded()
    made = await table.create("mod", SEND, deny=(BAN,))
    changed = await update(table, table.owner, made.id, name="guard")
    assert (changed.name, *changed.allow, *changed.deny) == ("guard", SEND, BAN)
    changed = await update(table, table.owner, made.id, color=0xFF8800, allow=[MANAGE])
    assert (changed.name, changed.color, *changed.allow) == ("guard", 0xFF8800, MANAGE)
    changed = await update(table, table.owner, made.id, mask=["deny", "color"], name="ignored")
    assert (changed.name, changed.color, *changed.deny) == ("guard", 0)
    changed = await update(table, table.owner, made.id, mask=[])
    assert changed.name == "guard", "a mask that names nothing changes nothing"
    assert len(await rbac.announced(events.RoleUpdated)) == 3
    for wrong, field in (
        ({"mask": ["position"]}, "update_mask"),
        ({"mask": ["name"]}, "name"),
        ({"allow": [p.PERMISSION_ADMINISTRATE]}, "allow"),
        ({"deny": [p.PERMISSION_ADMINISTRATE]}, "deny"),
        ({"name": ""}, "name"),
        ({"color": 0x1000000}, "color"),
    ):
        with pytest.raises(Invalid) as invalid:
            await update(table, table.owner, made.id, **wrong)
        assert invalid.value.fields[0][0] == field


async def test_what_changed_meanwhile_is_not_overwritten(rbac: Rbac) -> None:
    table = await rbac.founded()
    made = await table.create("mod", SEND)
    await table.create("another")
    changed = await update(table, table.owner, made.id, name="guard", etag=made.etag)
    with pytest.raises(Conflict) as stale:
        await update(table, table.owner, made.id, name="warden", etag=made.etag)
    assert stale.value.reason == "CONCURRENT_CHANGE"
    await update(table, table.owner, made.id, name="warden", etag=changed.etag)


async def test_a_change_that_changes_nothing_takes_no_revision(rbac: Rbac) -> None:
    table = await rbac.founded()
    made = await table.create("mod", SEND)
    bob = await table.member(made.id)
    before = len(await rbac.announced())
    await update(table, table.owner, made.id, name="mod")
    await reorder(table, table.owner, made.id)
    await table.grant(table.owner, bob, made.id)
    await delete(table, table.owner, identifier(ids.Kind.ROLE))
    assert len(await rbac.announced()) == before


async def test_the_member_role_and_the_owners_stay_what_they_are(rbac: Rbac) -> None:
    table = await rbac.founded()
    owner, member = (await table.all_roles())[0], (await table.all_roles())[-1]
    bob = await table.member()
    changed = await update(table, table.owner, member.id, mask=["allow"], allow=[1, 2])
    assert changed.allow == [1, 2]
    assert SEND not in await table.checked(bob.id)
    for attempt in (
        update(table, table.owner, member.id, name="folk"),
        delete(table, table.owner, member.id),
        table.grant(table.owner, bob, member.id),
        table.revoke(table.owner, bob, member.id),
    ):
        with pytest.raises(Invalid):
            await attempt
    for refused in (
        update(table, table.owner, owner.id, name="boss"),
        update(table, table.owner, owner.id, deny=[SEND]),
        delete(table, table.owner, owner.id),
        table.grant(table.owner, bob, owner.id),
        table.override(table.owner, identifier(ids.Kind.CHANNEL), owner.id, deny=(SEND,)),
        table.override(table.owner, identifier(ids.Kind.CHANNEL), table.owner.id, deny=(SEND,)),
    ):
        with pytest.raises(Denied) as too_high:
            await refused
        assert too_high.value.reason == "ROLE_TOO_HIGH"
    with pytest.raises(FailedPrecondition) as last:
        await table.revoke(table.owner, table.owner, owner.id)
    assert last.value.reason == "LAST_OWNER"
    assert await table.checked(table.owner.id) == {*p.Permission.values()} - {
        0,
        p.PERMISSION_ADMINISTRATE,
    }


async def test_roles_are_put_in_order(rbac: Rbac) -> None:
    table = await rbac.founded()
    a, b, c = [(await table.create(name)).id for name in "abc"]
    assert await names(table) == ["owner", "a", "b", "c", "member"]
    order = await reorder(table, table.owner, c, a, b)
    assert order[1:-1] == [c, a, b]
    assert await names(table) == ["owner", "c", "a", "b", "member"]
    event = (await rbac.announced(events.RolesReordered))[-1]
    assert isinstance(event, events.RolesReordered)
    assert list(event.role_ids) == order
    for wrong in ((a, b), (a, b, c, identifier(ids.Kind.ROLE)), (a, b, order[0])):
        with pytest.raises(Conflict):
            await reorder(table, table.owner, *wrong)


async def test_a_role_given_works_at_once_and_taken_no_longer(rbac: Rbac) -> None:
    table = await rbac.founded()
    low, high = await table.create("low", BAN), await table.create("high")
    await reorder(table, table.owner, high.id, low.id)
    bob = await table.member()
    member = (await table.all_roles())[-1].id
    assert BAN not in await table.checked(bob.id)
    assert await table.grant(table.owner, bob, low.id) == [low.id, member]
    assert await table.grant(table.owner, bob, high.id) == [high.id, low.id, member]
    assert await held(table, bob) == [high.id, low.id, member]
    assert BAN in await table.checked(bob.id)
    await table.revoke(table.owner, bob, low.id)
    await table.revoke(table.owner, bob, low.id)
    assert BAN not in await table.checked(bob.id)
    told = await rbac.announced(events.MemberRolesChanged)
    assert [list(e.role_ids) for e in told if isinstance(e, events.MemberRolesChanged)] == [
        [low.id, member],
        [high.id, low.id, member],
        [high.id, member],
    ]
    last = (await rbac.announced(events.BindingChanged))[-1]
    assert isinstance(last, events.BindingChanged)
    assert last.binding.version == last.version == 4


async def test_only_members_have_roles(rbac: Rbac) -> None:
    table = await rbac.founded()
    mod = await table.create("mod")
    outsider, bob = rbac.person(), await table.member(mod.id)
    for attempt in (
        table.grant(table.owner, outsider, mod.id),
        table.revoke(table.owner, outsider, mod.id),
        table.grant(table.owner, bob, identifier(ids.Kind.ROLE)),
        held(table, outsider, by=table.owner),
        update(table, table.owner, identifier(ids.Kind.ROLE), name="x"),
    ):
        with pytest.raises(NotFound):
            await attempt
    await table.unbind(bob.id)
    with pytest.raises(NotFound):
        await held(table, bob, by=table.owner)


async def test_a_role_of_another_community_is_not_found(rbac: Rbac) -> None:
    here, there = await rbac.founded(), await rbac.founded()
    mod = await there.create("mod")
    bob = await here.member()
    for attempt in (
        here.grant(here.owner, bob, mod.id),
        update(here, here.owner, mod.id, name="mine"),
        here.override(here.owner, identifier(ids.Kind.CHANNEL), mod.id, deny=(SEND,)),
    ):
        with pytest.raises(NotFound):
            await attempt
    await delete(here, here.owner, mod.id)
    assert "mod" in await names(there)


async def test_nobody_reaches_above_themselves(rbac: Rbac) -> None:
    table = await rbac.founded()
    high = await table.create("high", MANAGE, SEND)
    mid = await table.create("mid", MANAGE)
    low = await table.create("low")
    boss, peer, bob = await table.member(high.id), await table.member(mid.id), await table.member()
    manager = await table.member(mid.id)
    for refused, reason in (
        (update(table, manager, high.id, name="x"), "ROLE_TOO_HIGH"),
        (update(table, manager, mid.id, name="x"), "ROLE_TOO_HIGH"),
        (update(table, manager, high.id), "ROLE_TOO_HIGH"),
        (delete(table, manager, high.id), "ROLE_TOO_HIGH"),
        (delete(table, manager, mid.id), "ROLE_TOO_HIGH"),
        (reorder(table, manager, mid.id, high.id, low.id), "ROLE_TOO_HIGH"),
        (reorder(table, manager, high.id, low.id, mid.id), "ROLE_TOO_HIGH"),
        (table.grant(manager, bob, mid.id), "ROLE_TOO_HIGH"),
        (table.grant(manager, manager, high.id), "ROLE_TOO_HIGH"),
        (table.grant(manager, peer, low.id), "ROLE_TOO_HIGH"),
        (table.revoke(manager, boss, low.id), "ROLE_TOO_HIGH"),
        (table.create("x", BAN, by=manager), "EXCEEDS_OWN_PERMISSIONS"),
        (table.create("x", deny=(BAN,), by=manager), "EXCEEDS_OWN_PERMISSIONS"),
        (update(table, manager, low.id, allow=[BAN]), "EXCEEDS_OWN_PERMISSIONS"),
    ):
        with pytest.raises(Denied) as denied:
            await refused
        assert denied.value.reason == reason
    await table.grant(manager, bob, low.id)
    await table.grant(manager, manager, low.id)
    await update(table, manager, low.id, allow=[SEND])
    assert (await table.create("mine", SEND, by=manager)).position == 1
    await table.revoke(manager, bob, low.id)
    await delete(table, manager, low.id)


async def test_what_was_granted_from_above_cannot_be_passed_on(rbac: Rbac) -> None:
    """A role that bans stands below the manager, who may not ban."""
    table = await rbac.founded()
    manager = await table.member((await table.create("manager", MANAGE)).id)
    banning = await table.create("banning", BAN)
    bob = await table.member(banning.id)
    for attempt in (
        table.grant(manager, manager, banning.id),
        table.revoke(manager, bob, banning.id),
        update(table, manager, banning.id, mask=["allow"]),
        delete(table, manager, banning.id),
    ):
        with pytest.raises(Denied) as denied:
            await attempt
        assert denied.value.reason == "EXCEEDS_OWN_PERMISSIONS"
    assert (await update(table, manager, banning.id, name="renamed")).name == "renamed"


async def test_roles_are_limited(rbac: Rbac) -> None:
    table = await rbac.founded()
    async with rbac.database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO role (id, community_id, name, position, number, kind, color, "
                "allow, deny, create_time) "
                "SELECT gen_random_uuid(), community_id, 'r', n, n, 2, 0, '{}', '{}', now() "
                "FROM role, generate_series(2, 248) AS n WHERE kind = 3 AND community_id = "
                "(SELECT community_id FROM person WHERE version > 0 LIMIT 1)"
            )
        )
        await tx.execute(sa.text("UPDATE role SET position = 249 WHERE kind = 3"))
        await tx.execute(sa.text("UPDATE role SET position = position - 1 WHERE kind <> 1"))
        await tx.execute(sa.text("UPDATE community SET version = version + 1, next_number = 300"))
    await table.create("the last")
    with pytest.raises(FailedPrecondition) as full:
        await table.create("one more")
    assert full.value.reason == "LIMIT_REACHED"
    assert len(await table.all_roles()) == 250


async def test_a_reply_tells_the_revision_that_holds_the_change(rbac: Rbac) -> None:
    table = await rbac.founded()
    mod = await table.create("mod", SEND)
    request = role.GrantRoleRequest(
        community_id=table.id, user_id=(await table.member()).id, role_id=mod.id
    )
    stub = RoleServiceStub(rbac.channel)
    call = stub.GrantRole(request, metadata=table.owner.caller.metadata())
    await call
    trailing = {**dict(await call.initial_metadata()), **dict(await call.trailing_metadata())}
    last = (await rbac.announced(*CHANGES))[-1]
    assert isinstance(last, events.BindingChanged)
    assert int(trailing["creavio-policy-revision"]) == last.revision


async def test_errors_leave_everything_as_it_was(rbac: Rbac) -> None:
    table = await rbac.founded()
    manager = await table.member((await table.create("manager", MANAGE)).id)
    before, roles = len(await rbac.announced()), await table.all_roles()
    with pytest.raises(Error):
        await table.create("x", BAN, by=manager, key="k")
    assert len(await rbac.announced()) == before
    assert await table.all_roles() == roles
    assert await table.create("x", SEND, by=manager, key="k"), "a refused key is free"
