"""What is left of a role that is deleted: nothing, though nobody who had it is told so."""

from __future__ import annotations

import sqlalchemy as sa

from chassis import ids
from chassis.masks import policy_of, roles_of
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1 import rbac_events_pb2 as events
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from tests.rbac.test_roles import BAN, delete, held
from tests.rbac.world import Rbac, identifier


async def test_a_deleted_role_is_nobodys_and_bindings_need_not_be_told(rbac: Rbac) -> None:
    table = await rbac.founded()
    banning = await table.create("banning", BAN)
    bob = await table.member(banning.id)
    channel = identifier(ids.Kind.CHANNEL)
    await table.override(table.owner, channel, banning.id, p.PERMISSION_PIN_MESSAGES)

    async def asked(version: int = 0) -> access.GetAccessResponse:
        request = access.GetAccessRequest(
            user_id=bob.id, community_id=table.id, policy_version=version
        )
        reply: access.GetAccessResponse = await rbac.as_service(
            AccessServiceStub(rbac.channel).GetAccess, request
        )
        return reply

    before = await asked()
    bindings = len(await rbac.announced(events.BindingChanged))
    await delete(table, table.owner, banning.id)
    await table.create("another", BAN)
    assert len(await rbac.announced(events.BindingChanged)) == bindings
    (event,) = await rbac.announced(events.RoleDeleted)
    assert event == events.RoleDeleted(community_id=table.id, role_id=banning.id)
    after = await asked(before.masks.version)
    # What a follower keeps of bob is of before; with the masks of now it says the same.
    kept, fresh, policy = roles_of(before.binding), roles_of(after.binding), policy_of(after.masks)
    assert kept.numbers != fresh.numbers
    for permission in p.Permission.values():
        for place in ("", channel):
            assert policy.allows(kept, permission, place) == policy.allows(fresh, permission, place)
    assert not policy.allows(kept, BAN)
    assert await held(table, bob) == [(await table.all_roles())[-1].id]


async def test_a_role_that_thousands_hold_is_deleted_at_once(rbac: Rbac) -> None:
    table = await rbac.founded()
    fans = await table.create("fans")
    async with rbac.database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO binding SELECT community_id, lpad(to_hex(n), 32, '0')\\:\\:uuid, id "
                "FROM role, generate_series(1, 10000) AS n WHERE name IN ('fans', 'member')"
            )
        )
    before = len(await rbac.announced())
    await delete(table, table.owner, fans.id)
    assert len(await rbac.announced()) == before + 3
    async with rbac.database.reading() as tx:
        left = await tx.execute(sa.text("SELECT count(DISTINCT role_id) FROM binding"))
    assert left.scalar_one() == 2, "of members and the owner"
