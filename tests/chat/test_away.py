"""Who deactivated or deleted their account is read, and written to no more until they are back."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from chassis.errors import Denied, FailedPrecondition
from chassis.testing import eventually
from creavio.user.v1 import user_events_pb2
from services.chat import convert
from services.chat.store import standings
from tests.chat.people import Person
from tests.chat.test_blocks import block
from tests.chat.world import World

WITHIN = 10.0


async def tell(world: World, person: Person, revision: int, *, away: bool) -> None:
    event = user_events_pb2.UserStandingChanged(
        user_id=person.id, revision=revision, deactivated=away
    )
    await world.happens(event, person.id)


async def goes(world: World, person: Person, revision: int = 1, *, away: bool = True) -> None:
    """Have somebody deactivate their account or come back, and chat know it."""
    (world.users.away.add if away else world.users.away.discard)(person.id)
    await tell(world, person, revision, away=away)

    async def known() -> None:
        async with world.database.reading() as tx:
            assert await standings.is_away(tx, convert.user_id(person.id)) == away

    await eventually(known, WITHIN)


async def refused(ask: Awaitable[Any], reason: str = "ACCOUNT_DEACTIVATED") -> None:
    with pytest.raises(FailedPrecondition) as error:
        await ask
    assert error.value.reason == reason


async def test_what_was_said_is_read_and_nothing_new_is_said_until_they_are_back(
    world: World,
) -> None:
    ada, bob = world.person(), world.person()
    two = (await ada.converse(bob)).id
    before = await bob.send(two, "hello", "n")
    await goes(world, ada)
    for ask in (
        bob.send(two, "again"),
        bob.send(two, "again", reply_to=before),
        bob.edit(before, "again"),
        bob.react(before, "a"),
    ):
        await refused(ask)
    assert await bob.send(two, "hello", "n") == before, "what is sent is sent"
    assert (await bob.converse(ada)).id == two
    assert [m.content for m in await bob.listed(two)] == ["hello"]
    await goes(world, ada, 2, away=False)
    await bob.send(two, "again")
    # Who is back writes, whatever is still on its way of when they were not.
    assert [m.content for m in await ada.listed(two)] == ["hello", "again"]


async def test_who_was_away_writes_before_it_is_heard_that_they_are_back(world: World) -> None:
    ada, bob = world.person(), world.person()
    two = (await ada.converse(bob)).id
    await goes(world, ada)
    await ada.send(two, "I am back")


async def test_news_that_were_overtaken_change_nothing(world: World) -> None:
    ada, bob = world.person(), world.person()
    two = (await ada.converse(bob)).id
    await goes(world, ada, 3)
    await tell(world, ada, 2, away=False)
    await goes(world, bob, 1)  # Events come in their order.
    await goes(world, bob, 2, away=False)
    await refused(bob.send(two, "hello"))


async def test_nobody_begins_with_who_is_away_and_groups_go_on(world: World) -> None:
    ada, bob, eve = (world.person() for _ in range(3))
    group = (await ada.converse(bob, eve)).id
    other = (await bob.converse(eve, group=True)).id
    await goes(world, ada)
    await refused(bob.converse(ada))
    await refused(bob.converse(ada, eve))
    await refused(bob.take_in(other, ada))
    assert ada.id not in (await bob.conversation(other)).member_ids
    await bob.send(group, "without you")
    assert (await eve.conversation(group)).member_ids == sorted((ada.id, bob.id, eve.id))


async def test_who_is_blocked_does_not_learn_it(world: World) -> None:
    ada, bob = world.person(), world.person()
    two = (await ada.converse(bob)).id
    before = await bob.send(two, "hello")
    await block(world, ada, bob)
    await goes(world, ada)
    for ask in (bob.send(two, "again"), bob.edit(before, "x"), bob.converse(ada, group=True)):
        with pytest.raises(Denied) as denied:
            await ask
        assert denied.value.reason == "NOT_REACHABLE"


async def test_who_deleted_their_account_is_written_to_never_again(world: World) -> None:
    ada, bob = world.person(), world.person()
    two = (await ada.converse(bob)).id
    mine, theirs = await bob.send(two, "hello"), await ada.send(two, "and good-bye")
    await goes(world, ada)
    await world.happens(user_events_pb2.UserErased(user_id=ada.id), ada.id)

    async def gone() -> None:
        assert theirs.id not in {m.id for m in await bob.listed(two)}
        async with world.database.reading() as tx:
            assert not await standings.is_away(tx, convert.user_id(ada.id))

    await eventually(gone, WITHIN)
    for ask in (bob.send(two, "again"), bob.edit(mine, "x"), bob.react(mine, "a")):
        await refused(ask, "ACCOUNT_DELETED")
    assert [m.content for m in await bob.listed(two)] == ["hello"]
    await bob.delete(mine)
