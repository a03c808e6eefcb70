"""What people have read, and what is new to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Database
from chassis.errors import Invalid, NotFound
from chassis.testing import eventually, plan_of
from creavio.chat.v1 import chat_events_pb2, read_state_service_pb2
from creavio.community.v1 import community_events_pb2, member_pb2
from creavio.options.v1 import permission_pb2 as p
from services.chat.domain import message as domain
from services.chat.domain.mentions import Mentions, mentions_in
from services.chat.domain.message import delete
from services.chat.domain.place import Place
from services.chat.domain.reading import MOST_LOOKED_AT, Reader
from services.chat.store import blocks, messages, reading
from tests.chat.making import ADA, BOB, COMMUNITY, NOW, draft, new_channel, send, sent
from tests.chat.making import FINGERPRINTS as KEY
from tests.chat.world import MEMBER, READER, World

HOUR = timedelta(hours=1)


async def test_what_others_write_is_new_until_it_is_read(world: World) -> None:
    community = world.found()
    channel, quiet = world.open_channel(community), world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    await bob.send(quiet, "hello")
    await bob.mark(quiet, 1)
    sent = [await ada.send(channel, f"{n}") for n in range(4)]
    assert await bob.news(community) == {channel: (4, 0)}
    assert channel not in await ada.news(community), "one's own messages are read"
    state = await bob.mark(channel, sent[1].sequence)
    assert (state.channel_id, state.read_sequence, state.unread_count) == (channel, 2, 2)
    await ada.delete(sent[3])
    assert await bob.news(community) == {channel: (1, 0)}
    await ada.react(sent[0], "a")
    await bob.mark(channel, sent[2].sequence)
    assert await bob.news(community) == {}
    assert (await ada.news(community)) == {quiet: (1, 0)}


async def test_it_is_the_same_on_all_devices_and_nobody_goes_back(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    for n in range(3):
        await ada.send(channel, f"{n}")
    for number, read in ((2, 2), (1, 2), (2, 2), (0, 2), (2**62, 3), (3, 3)):
        assert (await bob.mark(channel, number)).read_sequence == read
    told = [e for e in await world.told() if isinstance(e, chat_events_pb2.ReadStateUpdated)]
    assert told == [
        chat_events_pb2.ReadStateUpdated(user_id=bob.id, channel_id=channel, read_sequence=n)
        for n in (2, 3)
    ]
    with pytest.raises(Invalid):
        await bob.mark(channel, -1)


async def test_mentions_of_oneself_ones_roles_and_everyone_count_once_each(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community, MEMBER | {p.PERMISSION_MENTION_EVERYONE})
    bob, eve = world.person(community), world.person(community)
    role = ids.text(ids.Kind.ROLE, ids.new())
    world.roles.held[bob.id] = [role]
    await ada.send(channel, f"<@{bob.id}> <@&{role}> @everyone")
    await ada.send(channel, f"<@&{role}>")
    last = await ada.send(channel, f"<@{bob.id}> and <@{ada.id}>")
    await bob.send(channel, "@everyone, said by who may not")
    assert await bob.news(community) == {channel: (3, 3)}
    assert await eve.news(community) == {channel: (4, 1)}
    assert await ada.news(community) == {channel: (1, 0)}
    state = await bob.mark(channel, 1)
    assert (state.unread_count, state.mention_count) == (2, 2)
    await ada.edit(last, "nobody")
    assert await bob.news(community) == {channel: (2, 1)}


async def test_conversations_have_news_too(world: World) -> None:
    ada, bob, eve = world.person(), world.person(), world.person()
    talk = (await ada.converse(bob)).id
    await ada.send(talk, f"<@{bob.id}>")
    assert await bob.news_of_conversations() == {talk: (1, 1)}
    assert await ada.news_of_conversations() == await eve.news_of_conversations() == {}
    with pytest.raises(NotFound):
        await eve.mark(talk, 1)
    await bob.mark(talk, 1)
    assert await bob.news_of_conversations() == {}


async def test_of_a_channel_one_cannot_see_nothing_is_counted(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, hidden = (
        world.person(community),
        world.person(community, READER - {p.PERMISSION_VIEW_CHANNEL}),
    )
    outsider = world.person()
    await ada.send(channel, f"<@{hidden.id}> <@{outsider.id}>")
    assert await hidden.news(community) == {}
    for somebody in (hidden, outsider):
        with pytest.raises(NotFound):
            await somebody.mark(channel, 1)
    with pytest.raises(NotFound):
        await outsider.news(community)


async def test_a_cursor_is_good_for_its_list_and_person_only(world: World) -> None:
    community, other = world.found(), world.found()
    ada = world.person(community)
    world.rbac.people[other][ada.id] = MEMBER
    bob = world.person(community)
    channels = [world.open_channel(community) for _ in range(3)]
    for channel in channels:
        await ada.send(channel, "news")
    request = read_state_service_pb2.ListReadStatesRequest
    seen, token = [], ""
    while True:
        asked = request(community_id=community, page_size=1, page_token=token)
        page = await bob.call(bob.reading.ListReadStates, asked)
        seen += [state.channel_id for state in page.read_states]
        before, token = token, page.next_page_token
        if not token:
            break
    assert sorted(seen) == sorted(channels)
    for caller, place in ((ada, community), (ada, other)):
        asked = request(community_id=place, page_token=before)
        with pytest.raises(Invalid) as refused:
            await caller.call(caller.reading.ListReadStates, asked)
        assert refused.value.reason == "INVALID_PAGE_TOKEN"


async def test_who_joins_has_read_what_was_written_before(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, late = world.person(community), world.person(community)
    await ada.send(channel, "before")
    assert await late.news(community) == {channel: (1, 0)}
    member = member_pb2.Member(community_id=community, user_id=late.id)
    member.join_time.GetCurrentTime()
    event = community_events_pb2.MemberJoined(member=member)
    await world.happens(event, community, late.id)

    async def joined() -> None:
        assert await late.news(community) == {}

    await eventually(joined)
    await ada.send(channel, "after")
    assert await late.news(community) == {channel: (1, 0)}


async def news(database: Database, user_id: UUID = ADA) -> dict[UUID, tuple[int, int]]:
    async with database.reading() as tx:
        found = await reading.lively(tx, user_id, COMMUNITY, None, 100)
        states = await reading.states(tx, Reader(user_id), found)
    return {
        s.place.id: (s.unread.count + s.unread.more, s.mentions.count + s.mentions.more)
        for s in states
        if s
    }


@pytest.mark.parametrize("written", [98, 99, 100, 101, 1200])
async def test_it_is_exact_up_to_ninety_nine(database: Database, written: int) -> None:
    channel = await new_channel(database)
    to_ada = f"<@{ids.text(ids.Kind.USER, ADA)}>"
    said = mentions_in(to_ada)
    drafts = [
        domain.draft(channel, BOB, to_ada, "", NOW, KEY, mentions=said) for _ in range(written)
    ]
    for start in range(0, written, 400):
        await send(database, *drafts[start : start + 400])
    expected = min(written, 100)
    assert await news(database) == {channel.id: (expected, expected)}


async def write(database: Database, place: Place, said: Sequence[tuple[UUID, timedelta]]) -> None:
    """Messages to everyone: whose, and how long after NOW."""
    meant = Mentions(everyone=True)
    drafts = [
        domain.draft(place, author, "@everyone", "", NOW + after, KEY, mentions=meant)
        for author, after in said
    ]
    for start in range(0, len(drafts), 400):
        await send(database, *drafts[start : start + 400])


@pytest.mark.parametrize(
    ("others", "own"), [(50, 99), (50, 150), (150, 20), (150, 150), (150, 950), (9, 1000)]
)
async def test_ones_own_messages_hide_none_of_the_latest_thousand(
    database: Database, others: int, own: int
) -> None:
    channel, said = await new_channel(database), [BOB] * others + [ADA] * own
    await write(database, channel, [(author, HOUR) for author in said])
    for _ in range(2):
        new = min(said[-MOST_LOOKED_AT:].count(BOB), 100)
        assert await news(database) == ({channel.id: (new, new)} if new else {})
        await write(database, channel, [(BOB, HOUR)])
        said.append(BOB)


async def test_mentions_by_who_is_blocked_hide_none_of_others(database: Database) -> None:
    channel, eve = await new_channel(database), ids.new()
    await write(database, channel, [(BOB, HOUR)] * 50 + [(eve, HOUR)] * 150)
    async with database.transaction() as tx:
        await blocks.add(tx, ADA, eve)
    assert await news(database) == {channel.id: (100, 50)}


@pytest.mark.parametrize(("since", "new"), [(0, 1), (2, 3), (98, 99), (99, 100), (300, 100)])
async def test_a_newcomer_meets_what_came_since_also_out_of_order(
    database: Database, since: int, new: int
) -> None:
    """Two wrote in the moment of the joining; the later number has the earlier time."""
    channel, second = await new_channel(database), timedelta(seconds=1)
    await write(database, channel, [(BOB, -HOUR)] * 150)
    await write(database, channel, [(BOB, second), (BOB, -second)] + [(BOB, second)] * since)
    async with database.transaction() as tx:
        await reading.join(tx, ADA, COMMUNITY, NOW)
    assert await news(database) == {channel.id: (new, new)}
    assert await news(database, ids.new()) == {channel.id: (100, 100)}, "who was there before"


async def test_who_has_read_a_thousand_channels_pays_for_those_with_news(
    database: Database,
) -> None:
    """Everything was written long ago, and read or noted; two channels have news now."""
    async with database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO channel (id, community_id, last_sequence, last_message, active)"
                " SELECT uuidv7(), :community, 1, 1, now() - interval '1 day'"
                " FROM generate_series(1, 2000)"
            ),
            {"community": COMMUNITY},
        )
        await tx.execute(
            sa.text("INSERT INTO read_state SELECT :ada, id, community_id, 1, false FROM channel"),
            {"ada": ADA},
        )
        await reading.settle(tx, ADA, COMMUNITY)
    lively = await new_channel(database)
    await send(database, draft(lively, author=BOB))
    async with database.transaction() as tx:
        await tx.execute(sa.text("ANALYZE"))

    async def ask(tx: object) -> None:
        assert isinstance(tx, type(held))
        assert await reading.lively(tx, ADA, COMMUNITY, None, 51) == [lively.id]

    async with database.reading() as held:
        await ask(held)
    plan = await plan_of(database, ask)
    assert "channel_active" in plan
    assert "read_state_behind" in plan
    assert "Seq Scan on channel" not in plan
    assert "Seq Scan on read_state" not in plan


async def test_what_is_unread_for_hours_is_noted_when_something_else_is_read(
    database: Database,
) -> None:
    missed, other = await new_channel(database), await new_channel(database)
    await send(database, draft(missed, author=BOB))
    async with database.transaction() as tx:
        await tx.execute(sa.text("UPDATE channel SET active = active - interval '5 hours'"))
    await send(database, draft(other, author=BOB))
    for _ in range(2):
        async with database.transaction() as tx:
            await reading.mark(tx, other, ADA, 1)
            await reading.settle(tx, ADA, COMMUNITY)
        assert await news(database) == {missed.id: (1, 0)}


steps = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "own", "mark", "delete", "hours"]),
        st.integers(0, 2),
        st.integers(0, 6),
    ),
    max_size=30,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps)
async def test_any_run_counts_as_a_plain_model_does(
    database: Database, steps: list[tuple[str, int, int]]
) -> None:
    """Also where hours pass, and what is unread of them is noted."""
    channels = [await new_channel(database) for _ in range(3)]
    async with database.transaction() as tx:
        await tx.execute(sa.text("UPDATE channel SET community_id = :c"), {"c": ids.new()})
        await tx.execute(
            sa.text("UPDATE channel SET community_id = :c WHERE id = ANY (:mine)"),
            {"c": COMMUNITY, "mine": [place.id for place in channels]},
        )
        await tx.execute(sa.text("TRUNCATE reader, read_state"))
    written: dict[int, list[domain.Message]] = {0: [], 1: [], 2: []}
    read = dict.fromkeys(range(3), 0)
    for what, where, number in steps:
        place, here = channels[where], written[where]
        if what in ("write", "own"):
            here += await sent(database, draft(place, author=BOB if what == "write" else ADA))
        elif what == "mark":
            async with database.transaction() as tx:
                kept = await reading.mark(tx, place, ADA, number)
                await reading.settle(tx, ADA, COMMUNITY)
            last = max((m.revision for m in here), default=0)
            assert (kept is not None) == (min(number, last) > read[where])
            read[where] = max(read[where], min(number, last))
        elif what == "delete" and here:
            gone = here.pop(number % len(here))
            async with database.transaction() as tx:
                done = delete(gone, gone.author_id, moderates=False, now=NOW)
                after = await messages.save(tx, done)
            here.append(after)
        elif what == "hours":
            shift = {"by": HOUR * (number + 1)}
            async with database.transaction() as tx:
                await tx.execute(sa.text("UPDATE channel SET active = active - :by"), shift)
                await tx.execute(sa.text("UPDATE reader SET settled = settled - :by"), shift)
        expected = {
            channels[n].id: (count, 0)
            for n in range(3)
            if (
                count := sum(
                    m.author_id == BOB and m.delete_time is None and m.sequence > read[n]
                    for m in written[n]
                )
            )
        }
        assert await news(database) == expected


async def test_what_was_written_before_is_read(database: Database) -> None:
    channel = await new_channel(database)
    await send(database, draft(channel, author=BOB))
    async with database.transaction() as tx:
        await reading.join(tx, ADA, COMMUNITY, datetime.now(UTC))
    assert await news(database) == {}
    async with database.transaction() as tx:
        await reading.join(tx, ADA, COMMUNITY, NOW - HOUR)
    assert await news(database) == {channel.id: (1, 0)}
