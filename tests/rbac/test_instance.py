"""Who administrates the instance."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Denied, Error, FailedPrecondition, NotFound
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1 import instance_service_pb2 as instance
from creavio.rbac.v1 import rbac_events_pb2 as events
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from creavio.rbac.v1.instance_service_pb2_grpc import InstanceServiceStub
from tests.rbac.world import CLAIM_CODE, Person, Rbac, Table, identifier, served


async def claim(person: Person, code: str = CLAIM_CODE) -> None:
    request = instance.ClaimInstanceRequest(code=code)
    await person.ask(InstanceServiceStub, "ClaimInstance", request)


async def add(by: Person, user_id: str) -> None:
    request = instance.AddAdministratorRequest(user_id=user_id)
    await by.ask(InstanceServiceStub, "AddAdministrator", request)


async def remove(by: Person, user_id: str) -> None:
    request = instance.RemoveAdministratorRequest(user_id=user_id)
    await by.ask(InstanceServiceStub, "RemoveAdministrator", request)


async def listed(by: Person) -> set[str]:
    request = instance.ListAdministratorsRequest()
    return set((await by.ask(InstanceServiceStub, "ListAdministrators", request)).user_ids)


async def refused(person: Person, code: str = CLAIM_CODE) -> bool:
    try:
        await claim(person, code)
    except Denied as denied:
        return denied.reason == "CLAIM_REFUSED"
    return False


async def test_the_code_makes_the_first_administrator_once(rbac: Rbac) -> None:
    ada, bob = rbac.person(), rbac.person()
    for wrong in ("x", CLAIM_CODE[:-1], CLAIM_CODE + "x", "ÿ"):
        assert await refused(ada, wrong)
    with pytest.raises(Denied):
        await listed(ada)
    await claim(ada)
    assert await listed(ada) == {ada.id}
    await claim(ada)
    assert await refused(ada, "x"), "even for who administrates"
    assert await refused(bob)
    told = await rbac.announced()
    assert [type(event) for event in told] == [events.BindingChanged]
    assert isinstance(told[0], events.BindingChanged)
    assert told[0].community_id == ids.INSTANCE


async def test_one_of_many_who_claim_at_once_is_the_first(rbac: Rbac) -> None:
    people = [rbac.person() for _ in range(6)]
    assert sorted(await asyncio.gather(*(refused(person) for person in people))) == [
        False,
        *[True] * 5,
    ]


async def test_without_a_code_nothing_is_claimed(database: Database, contract: Contract) -> None:
    for code in (None, ""):
        async with served(database, contract, code) as rbac:
            assert await refused(rbac.person(), "None")


async def test_administrators_make_others_and_one_stays(rbac: Rbac) -> None:
    ada, bob, eve = rbac.person(), rbac.person(), rbac.person()
    await claim(ada)
    with pytest.raises(FailedPrecondition) as last:
        await remove(ada, ada.id)
    assert last.value.reason == "LAST_ADMINISTRATOR"
    await add(ada, bob.id)
    await add(ada, bob.id)
    assert await listed(bob) == {ada.id, bob.id}
    await remove(ada, eve.id)
    await remove(bob, ada.id)
    for attempt in (listed(ada), add(ada, eve.id), remove(ada, bob.id)):
        with pytest.raises(Denied):
            await attempt
    assert await refused(ada)
    assert len(await rbac.announced()) == 3


async def test_two_who_remove_each_other_do_not_both_succeed(rbac: Rbac) -> None:
    for _ in range(5):
        ada, bob = rbac.person(), rbac.person()
        async with rbac.database.transaction() as tx:
            await tx.execute(sa.text("DELETE FROM binding"))
        await claim(ada)
        await add(ada, bob.id)

        async def removed(by: Person, other: Person) -> bool:
            try:
                await remove(by, other.id)
            except Error:
                return False
            return True

        assert sorted(await asyncio.gather(removed(ada, bob), removed(bob, ada))) == [False, True]


async def test_there_are_never_more_than_a_hundred(rbac: Rbac) -> None:
    ada = rbac.person()
    await claim(ada)
    async with rbac.database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO binding SELECT community_id, gen_random_uuid(), role_id "
                "FROM binding, generate_series(1, 98)"
            )
        )
    await add(ada, (bob := rbac.person()).id)
    await add(ada, bob.id)
    with pytest.raises(FailedPrecondition) as full:
        await add(ada, rbac.person().id)
    assert full.value.reason == "LIMIT_REACHED"
    assert len(await listed(ada)) == 100


async def test_administration_is_decided_as_everything_is(rbac: Rbac) -> None:
    ada, bob = rbac.person(), rbac.person()
    await claim(ada)
    stub = AccessServiceStub(rbac.channel)
    for person, expected in ((ada, True), (bob, False)):
        request = access.CheckRequest(
            user_id=person.id,
            community_id=ids.INSTANCE,
            permission=p.PERMISSION_ADMINISTRATE,
        )
        assert (await rbac.as_service(stub.Check, request)).allowed == expected


async def test_the_instance_is_no_community_to_people(rbac: Rbac) -> None:
    """An administrator sees it, and can do nothing with its role as roles go."""
    ada = rbac.person()
    await claim(ada)
    table = Table(rbac, ids.INSTANCE, ada)
    channel = identifier(ids.Kind.CHANNEL)
    with pytest.raises(NotFound):
        await table.all_roles(ada)
    for attempt in (
        table.create("mine"),
        table.grant(ada, rbac.person(), identifier(ids.Kind.ROLE)),
        table.override(ada, channel, ada.id, p.PERMISSION_SEND_MESSAGES),
    ):
        with pytest.raises((NotFound, Denied)):
            await attempt
    for stranger in (table.all_roles(rbac.person()), table.create("x", by=rbac.person())):
        with pytest.raises(NotFound):
            await stranger
    assert len(await rbac.announced()) == 1


async def test_nobody_administrates_by_a_role_of_a_community(rbac: Rbac) -> None:
    table = await rbac.founded()
    assert p.PERMISSION_ADMINISTRATE not in await table.checked(table.owner.id)
    with pytest.raises(Denied):
        await listed(table.owner)
