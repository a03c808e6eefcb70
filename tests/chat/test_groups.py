"""Groups: conversations whose members change."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Denied, FailedPrecondition, Invalid, NotFound
from chassis.testing import plan_of
from creavio.chat.v1 import chat_events_pb2
from services.chat.store import blocks, conversations, standings
from tests.chat.making import ADA
from tests.chat.world import World, running_world
from tests.scratch_nats import ScratchNats


async def test_a_group_has_a_name_an_icon_and_an_owner(world: World) -> None:
    ada, bob, eve = (world.person() for _ in range(3))
    group = await ada.converse(bob, eve, name="us", icon_id="fil_1")
    assert (group.group, group.owner_id, group.name) == (True, ada.id, "us")
    renamed = await bob.rename(group.id, name="all of us")
    assert (renamed.name, renamed.icon_id, renamed.revision) == ("all of us", "fil_1", 1)
    assert (await bob.rename(group.id, name="all of us")).revision == 1, "nothing changed"
    assert await eve.conversation(group.id) == renamed
    told = [e for e in await world.told() if isinstance(e, chat_events_pb2.ConversationUpdated)]
    assert [e.conversation for e in told] == [renamed]
    with pytest.raises(Invalid):
        await bob.rename(group.id, name="x" * 101)


async def test_two_people_have_one_conversation_and_any_number_of_groups(world: World) -> None:
    ada, bob = world.person(), world.person()
    two = await ada.converse(bob)
    assert not two.group
    group = await ada.converse(bob, group=True, name="plans")
    assert group.group
    assert group.id != two.id
    assert (await bob.converse(ada)).id == two.id
    for refused in (
        ada.rename(two.id, name="us"),
        ada.take_in(two.id, world.person()),
        ada.take_out(two.id, ada),
        ada.hand_over(two.id, bob),
        ada.converse(world.person(), name="no group"),
    ):
        with pytest.raises(FailedPrecondition) as error:
            await refused
        assert error.value.reason == "NOT_A_GROUP"


async def test_who_is_taken_in_reads_all_and_who_is_out_reads_nothing(
    postgres: str, nats_server: ScratchNats, contract: Contract
) -> None:
    async with running_world(postgres, nats_server, contract, replicas=2) as world:
        ada, bob, eve = (world.person() for _ in range(3))
        group = (await ada.converse(bob, group=True)).id
        await ada.send(group, "before")
        with pytest.raises(NotFound):
            await eve.listed(group)
        assert eve.id in (await bob.take_in(group, eve, bob)).member_ids
        elsewhere = world.at(1, eve.id)
        assert [m.content for m in await elsewhere.listed(group)] == ["before"]
        await elsewhere.send(group, "hello")
        with pytest.raises(Denied):
            await bob.take_out(group, eve)
        await ada.take_out(group, eve)
        for out in (eve, elsewhere):  # at once, wherever
            for refused in (out.listed(group), out.send(group, "still here?")):
                with pytest.raises(NotFound):
                    await refused
        assert group not in await eve.news_of_conversations()
        (told,) = [
            e
            for e in await world.told()
            if isinstance(e, chat_events_pb2.ConversationMemberRemoved)
        ]
        assert told.user_id == eve.id
        assert eve.id not in told.conversation.member_ids


async def test_a_group_is_handed_over_inherited_and_erased(world: World) -> None:
    ada, bob, eve = (world.person() for _ in range(3))
    group = (await ada.converse(bob, group=True)).id
    await ada.take_in(group, eve)
    with pytest.raises(Denied):
        await bob.hand_over(group, eve)
    with pytest.raises(NotFound):
        await ada.hand_over(group, world.person())
    assert (await ada.hand_over(group, eve)).owner_id == eve.id
    await ada.take_out(group, ada)
    await eve.take_out(group, eve)
    assert (await bob.conversation(group)).owner_id == bob.id
    await bob.send(group, "alone")
    await bob.take_out(group, bob)
    with pytest.raises(NotFound):
        await bob.listed(group)
    async with world.database.reading() as tx:
        closed = await tx.execute(
            sa.text("SELECT delete_time IS NOT NULL FROM channel WHERE id = :id"),
            {"id": ids.parse(ids.Kind.CONVERSATION, group, field="id")},
        )
        assert closed.scalar_one()


async def test_the_heir_is_who_belongs_longest(world: World) -> None:
    ada, bob, eve = (world.person() for _ in range(3))
    group = (await ada.converse(bob, group=True)).id
    await ada.take_in(group, eve)
    await ada.take_out(group, ada)
    assert (await eve.conversation(group)).owner_id == bob.id


async def test_a_group_is_never_too_large_however_many_are_taken_in_at_once(world: World) -> None:
    ada = world.person()
    group = (await ada.converse(*(world.person() for _ in range(20)))).id
    added = await asyncio.gather(
        *(ada.take_in(group, world.person()) for _ in range(8)), return_exceptions=True
    )
    refused = [one for one in added if isinstance(one, FailedPrecondition)]
    assert {error.reason for error in refused} == {"LIMIT_REACHED"}
    assert len((await ada.conversation(group)).member_ids) == 25
    assert len(refused) == 4


async def test_members_and_blocks_are_found_by_an_index(database: Database) -> None:
    async with database.transaction() as tx:
        for statement in (
            "INSERT INTO channel (id, last_sequence)"
            " SELECT gen_random_uuid(), 0 FROM generate_series(1, 20000)",
            "INSERT INTO conversation (id, create_time, owner_id)"
            " SELECT id, now(), gen_random_uuid() FROM channel",
            "INSERT INTO conversation_member"
            " SELECT id, gen_random_uuid() FROM conversation, generate_series(1, 5)",
            "INSERT INTO block SELECT gen_random_uuid(), gen_random_uuid()"
            " FROM generate_series(1, 100000)",
            "INSERT INTO standing SELECT gen_random_uuid(), 1, true"
            " FROM generate_series(1, 100000)",
            "ANALYZE",
        ):
            await tx.execute(sa.text(statement))
        group = (await tx.execute(sa.text("SELECT id FROM conversation LIMIT 1"))).scalar_one()
    for ask, index in (
        (lambda tx: blocks.is_blocked(tx, ADA, ids.new()), "block_"),
        (lambda tx: standings.is_away(tx, ADA), "standing_pkey"),
        (lambda tx: standings.close_conversations_of(tx, ADA), "conversation_member_"),
        (lambda tx: blocks.remove(tx, ADA, ids.new()), "block_"),
        (lambda tx: conversations.by_seniority(tx, group), "conversation_member_pkey"),
        (lambda tx: conversations.belonging(tx, group, ADA), "conversation_member_"),
        (lambda tx: conversations.talkers(tx, ADA, 500), "conversation_member_"),
    ):
        plan = await plan_of(database, ask)
        assert f" {index}" in plan, plan
        assert "Seq Scan" not in plan, plan
