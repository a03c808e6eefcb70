"""What happens at once: each change is decided as things stand when it is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import random

import pytest

from chassis import ids
from chassis.errors import Conflict, Denied, Invalid, NotFound
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import override_service_pb2 as override
from creavio.rbac.v1 import rbac_events_pb2 as events
from creavio.rbac.v1 import role_service_pb2 as role
from creavio.rbac.v1.override_service_pb2_grpc import OverrideServiceStub
from creavio.rbac.v1.role_service_pb2_grpc import RoleServiceStub
from services.rbac.store import people, policies
from tests.rbac.world import Person, Rbac, Table, identifier

MANAGE, SEND, VIEW, PIN, BAN = (
    p.PERMISSION_MANAGE_ROLES,
    p.PERMISSION_SEND_MESSAGES,
    p.PERMISSION_VIEW_CHANNEL,
    p.PERMISSION_PIN_MESSAGES,
    p.PERMISSION_BAN_MEMBERS,
)
SOME = (MANAGE, SEND, VIEW, PIN, BAN)


async def succeeds(attempt: Awaitable[object]) -> bool:
    return not await refused(attempt)


async def test_what_was_taken_a_moment_ago_is_not_used(rbac: Rbac) -> None:
    """A manager grants while the owner takes their role: it is the one or the other."""
    table = await rbac.founded()
    manage = await table.create("manager", MANAGE)
    low = await table.create("low")
    for _ in range(10):
        manager, bob = await table.member(manage.id), await table.member()
        revoked, granted = await asyncio.gather(
            succeeds(table.revoke(table.owner, manager, manage.id)),
            succeeds(table.grant(manager, bob, low.id)),
        )
        assert revoked
        told = [
            e.user_id
            for e in await rbac.announced(events.MemberRolesChanged)
            if isinstance(e, events.MemberRolesChanged) and e.user_id in (manager.id, bob.id)
        ]
        order = [manager.id, manager.id] if not granted else [manager.id, bob.id, manager.id]
        assert told == order, "whoever granted had not lost it yet"


async def test_who_may_is_asked_again_when_it_is_their_turn(rbac: Rbac) -> None:
    """A manager waits for a change that takes their permission, and nothing else of them."""
    table = await rbac.founded()
    rank, manage = await table.create("rank"), await table.create("manager", MANAGE)
    low = await table.create("low")
    manager, bob = await table.member(rank.id, manage.id), await table.member()
    community = ids.parse(ids.Kind.COMMUNITY, table.id, field="")
    async with rbac.database.transaction() as tx:
        await policies.policy_to_change(tx, community)
        granting = asyncio.create_task(table.grant(manager, bob, low.id))
        await asyncio.sleep(0.3)
        assert not granting.done()
        user_id = ids.parse(ids.Kind.USER, manager.id, field="")
        await people.take(tx, community, user_id, ids.parse(ids.Kind.ROLE, manage.id, field=""))
    with pytest.raises(Denied) as denied:
        await granting
    assert denied.value.reason == "PERMISSION_DENIED"


async def test_one_of_two_who_change_the_same_role_is_told_of_the_other(rbac: Rbac) -> None:
    table = await rbac.founded()
    made = await table.create("role")

    async def rename(name: str) -> bool:
        request = role.UpdateRoleRequest(
            community_id=table.id, role_id=made.id, name=name, etag=made.etag
        )
        try:
            await table.owner.ask(RoleServiceStub, "UpdateRole", request)
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(*(rename(f"name {n}") for n in range(5)))) == [
        *[False] * 4,
        True,
    ]


async def test_a_role_created_twice_at_once_is_created_once(rbac: Rbac) -> None:
    table = await rbac.founded()
    made = await asyncio.gather(*(table.create("mod", SEND, key="k") for _ in range(6)))
    assert len({one.id for one in made}) == 1
    assert len(await table.all_roles()) == 3


async def test_roles_made_at_once_all_have_their_place_and_number(rbac: Rbac) -> None:
    table = await rbac.founded()
    await asyncio.gather(*(table.create(f"r{n}") for n in range(8)))
    roles = await table.all_roles()
    assert [r.position for r in roles] == [*range(9, -1, -1)]
    bob = await table.member(*(r.id for r in roles[1:-1]))
    announced = (await rbac.announced(events.BindingChanged))[-1]
    assert isinstance(announced, events.BindingChanged)
    assert announced.user_id == bob.id
    assert int.from_bytes(announced.binding.roles).bit_count() == 9


@dataclass
class Stage:
    """A community in which people do random things."""

    table: Table
    people: list[Person]
    channels: list[str]
    dice: random.Random

    async def deed(self, by: Person) -> None:
        """Something random, allowed or not."""
        dice, table = self.dice, self.table
        roles = await table.all_roles()
        target, somebody = dice.choice(roles).id, dice.choice(self.people)
        channel = dice.choice(self.channels)
        some = tuple(dice.sample(SOME, dice.randint(0, 2)))
        others = tuple(dice.sample(SOME, dice.randint(0, 1)))
        here = tuple(dice.sample((SEND, VIEW, PIN), dice.randint(0, 2)))
        order = [r.id for r in roles if r.kind == 2]
        dice.shuffle(order)
        update = role.UpdateRoleRequest(
            community_id=table.id, role_id=target, allow=some, deny=others
        )
        update.update_mask.paths.extend(["allow", "deny"])
        reorder = role.ReorderRolesRequest(community_id=table.id, role_ids=order)
        delete = role.DeleteRoleRequest(community_id=table.id, role_id=target)
        unset = override.DeleteOverrideRequest(
            community_id=table.id, channel_id=channel, target_id=dice.choice([target, somebody.id])
        )
        deeds: list[Callable[[], Awaitable[object]]] = [
            lambda: table.create("new", *some, deny=others, by=by),
            lambda: by.ask(RoleServiceStub, "UpdateRole", update),
            lambda: by.ask(RoleServiceStub, "ReorderRoles", reorder),
            lambda: by.ask(RoleServiceStub, "DeleteRole", delete),
            lambda: table.grant(by, somebody, target),
            lambda: table.grant(by, by, target),
            lambda: table.revoke(by, somebody, target),
            lambda: table.revoke(by, by, target),
            lambda: table.override(by, channel, target, *here, deny=others[:0]),
            lambda: table.override(by, channel, somebody.id, deny=here),
            lambda: by.ask(OverrideServiceStub, "DeleteOverride", unset),
        ]
        await dice.choice(deeds)()

    async def restore(self, person: Person) -> None:
        """The owner gives somebody everything again."""
        again = await self.table.create("again", p.PERMISSION_VIEW_COMMUNITY, *SOME)
        custom = [r.id for r in await self.table.all_roles() if r.kind == 2 and r.id != again.id]
        order = role.ReorderRolesRequest(community_id=self.table.id, role_ids=[again.id, *custom])
        await self.table.owner.ask(RoleServiceStub, "ReorderRoles", order)
        await self.table.grant(self.table.owner, person, again.id)

    async def held(self, person: Person) -> set[tuple[str, int]]:
        """Everything somebody holds anywhere."""
        places = ["", *self.channels]
        return {(c, what) for c in places for what in await self.table.checked(person.id, c)}


async def refused(deed: Awaitable[object]) -> bool:
    try:
        await deed
    except (Denied, NotFound, Invalid):
        return True
    return False


@pytest.mark.parametrize("seed", range(3))
async def test_nobody_rises_by_random_deeds(rbac: Rbac, seed: int) -> None:
    """As test_escalation holds for the rules, over gRPC for the service as a whole."""
    dice = random.Random(seed)  # noqa: S311  # the same dice each time
    table = await rbac.founded()
    high = await table.create("high", *SOME)
    mid = await table.create("mid", MANAGE, VIEW)
    mute = await table.create("mute", deny=(SEND,))
    ban = await table.create("ban", BAN)
    channels = [identifier(ids.Kind.CHANNEL) for _ in range(2)]
    people = [
        await table.member(high.id),
        await table.member(mid.id),
        await table.member(mid.id, mute.id),
        await table.member(ban.id),
        await table.member(),
    ]
    await table.override(table.owner, channels[0], mid.id, deny=(SEND,))
    await table.override(table.owner, channels[1], people[1].id, deny=(VIEW,))
    stage = Stage(table, people, channels, dice)
    done = 0
    for _ in range(40):
        actor = dice.choice(people[:3])
        before = await stage.held(actor)
        if ("", MANAGE) not in before:
            await stage.restore(actor)
            continue
        if await refused(stage.deed(actor)):
            continue
        done += 1
        assert await stage.held(actor) <= before, "gained something by their own hand"
    assert done >= 5
    assert {n for _, n in await stage.held(table.owner)} == {*p.Permission.values()} - {
        0,
        p.PERMISSION_ADMINISTRATE,
    }
