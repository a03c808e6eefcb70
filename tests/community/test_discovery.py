"""How public communities are found, in which order, and how many belong to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
import uuid
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from chassis import ids
from chassis.database import Database, Transaction
from chassis.errors import Invalid
from chassis.testing import plan_of
from creavio.community.v1 import community_pb2
from services.community import domain, store
from services.community.domain import Community, Standing, Visibility
from services.community.domain.discovery import (
    Order,
    Wanted,
    document,
    facets,
    language_of,
    looked_for,
    ordered,
    question,
    tags_of,
    words,
)
from services.community.store import person
from tests.community.world import ADA, BOB, EVE, NOW, World
from tests.live import Live, Person, refusal


def test_orders_are_numbered_as_the_contract_does() -> None:
    named = community_pb2.CommunityOrder.items()
    assert {n.removeprefix("COMMUNITY_ORDER_"): v for n, v in named if v} == Order.__members__


def test_words_are_compared_by_letters_alone() -> None:
    assert words("Émile's  CAFÉ, no. 5!") == ["emile", "s", "cafe", "no", "5"]
    assert words("\uff26\uff35\uff2c\uff2c ﬁsh Straße") == ["full", "fish", "strasse"]
    assert words("हिन्दी 한국어 русский") == ["हिन्दी", "한국어", "русскии"]
    assert words("東京都 go") == ["東京", "京都", "都", "go"]
    assert words("a" * 2000) == ["a" * 64]
    assert words("🎉 -- ''") == []


def test_the_last_word_may_be_the_beginning_of_one() -> None:
    assert question("Chess clu") == "'chess' & 'clu':*"
    assert question("Chess club ") == "'chess' & 'club'"
    assert question("!?") == ""


def test_tags_are_kept_in_one_writing() -> None:
    assert tags_of(["Board  Games", "board_games", " CHESS", "\uff27\uff4f", "日本"]) == (
        "board-games",
        "chess",
        "go",
        "日本",
    )
    for wrong in ("", "-", " ", "#chess", "a/b", "x" * 25, "🎉"):
        with pytest.raises(Invalid):
            tags_of([wrong])


def test_a_language_finds_what_is_of_it() -> None:
    assert [language_of(each) for each in ("PT-br", "zh-HANT-tw", "DE", "")] == [
        "pt-BR",
        "zh-Hant-TW",
        "de",
        "",
    ]
    assert facets(("go",), "zh-Hant-TW") == ("#go", "=zh", "=zh-Hant", "=zh-Hant-TW")
    assert looked_for(["Go"], "zh-Hant") == ("#go", "=zh-Hant")
    assert facets((), "") == looked_for([], "") == ()


def test_an_order_that_is_not_asked_for_follows_from_the_query() -> None:
    assert (ordered(0, ""), ordered(0, "'x'")) == (Order.NAME, Order.RELEVANCE)
    with pytest.raises(Invalid):
        ordered(Order.RELEVANCE, "")


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("community") as made:
        yield made


async def test_whatever_is_written_is_found_by_what_is_written(database: Database) -> None:
    texts: list[str] = []

    @given(st.text(max_size=80))
    def gather(text: str) -> None:
        texts.append(text)

    gather()
    async with database.reading() as tx:
        for text in texts:
            kept, asked = document(text, (), text), question(text)
            found = sa.cast(kept, TSVECTOR).op("@@")(sa.cast(asked, TSQUERY))
            assert (await tx.execute(sa.select(found))).scalar_one() == bool(words(text))


async def publish(
    world: World, name: str, members: int = 0, age: int = 0, **said: Any
) -> Community:
    """A public community with so many besides its owner, so many days old."""
    made = replace(domain.new_community(name, ADA, NOW - timedelta(days=age)))
    async with world.database.transaction() as tx:
        await store.add_community(tx, made)
    await world.memberships.finish_founding(made.id, ADA)
    public = domain.edited(made, visibility=Visibility.PUBLIC, **said)
    async with world.database.transaction() as tx:
        await store.save_community(tx, public)
        for _ in range(members):
            await join(tx, made.id)
    return public


async def join(tx: Any, community_id: UUID, user_id: UUID | None = None) -> UUID:
    user_id = user_id or ids.new()
    await store.add_member(tx, domain.new_member(community_id, user_id, NOW))
    assert await store.settle_member(tx, community_id, user_id)
    return user_id


async def take_in(world: World) -> None:
    async with world.database.transaction() as tx:
        assert not await store.take_in_changes(tx)


async def found(world: World, wanted: Wanted, who: UUID = EVE, size: int = 50) -> list[str]:
    """The names, page by page."""
    names: list[str] = []
    after = None
    while True:
        async with world.database.reading() as tx:
            page = await store.public_communities(tx, wanted, who, after, size)
        names += [community.name for community, _ in page]
        if len(page) < size:
            return names
        after = page[-1][1]


async def test_each_order_is_the_same_in_pages_of_any_size(world: World) -> None:
    said = [("b", 3, 5), ("a", 1, 3), ("c", 1, 5), ("d", 0, 1), ("a", 1, 3)]
    made = [await publish(world, f"chess {n}", members, age) for n, members, age in said]
    await take_in(world)
    query = question("chess")
    for order in Order:
        wanted = Wanted(order, query=query if order == Order.RELEVANCE else "")
        whole = await found(world, wanted)
        assert len(whole) == len(made)
        for size in (1, 2, 3):
            assert await found(world, wanted, size=size) == whole
    assert await found(world, Wanted(Order.NAME)) == [f"chess {n}" for n in "aabcd"]
    assert (await found(world, Wanted(Order.NEWEST)))[0] == "chess d"
    by_members = await found(world, Wanted(Order.MEMBERS))
    assert (by_members[0], by_members[-1]) == ("chess b", "chess d")


async def test_what_fits_best_comes_first(world: World) -> None:
    await publish(world, "Elsewhere", description="We talk of chess now and then.")
    await publish(world, "Boards", tags=("chess",))
    await publish(world, "Chess", description="Of course.")
    wanted = Wanted(Order.RELEVANCE, query=question("chess"))
    assert await found(world, wanted) == ["Chess", "Boards", "Elsewhere"]
    assert await found(world, replace(wanted, query=question("talk che"))) == ["Elsewhere"]
    assert await found(world, replace(wanted, query=question("talk che "))) == []


async def test_all_that_is_asked_for_is_there(world: World) -> None:
    await publish(world, "one", tags=("go", "chess"), language="pt-BR")
    await publish(world, "two", tags=("go",), language="pt")
    await publish(world, "three", tags=("chess",), language="de")
    for tags, language, names in (
        (["go"], "", ["one", "two"]),
        (["GO", "chess"], "", ["one"]),
        ([], "pt", ["one", "two"]),
        (["chess"], "pt", ["one"]),
        ([], "pt-BR", ["one"]),
        ([], "p", []),
    ):
        asked = looked_for(tags, language)
        for order in (Order.NAME, Order.NEWEST, Order.MEMBERS):
            assert sorted(await found(world, Wanted(order, facets=asked))) == sorted(names)
    assert await found(world, Wanted(Order.NAME, prefix="t", facets=("=de",))) == ["three"]


async def test_only_what_is_public_is_found_by_whom_it_does_not_ban(world: World) -> None:
    open_, closed, gone, unfounded = [
        await publish(world, f"chess {name}") for name in ("open", "closed", "gone", "unfounded")
    ]
    async with world.database.transaction() as tx:
        hidden = domain.edited(closed, visibility=Visibility.PRIVATE)
        await store.save_community(tx, hidden)
        await person.close(tx, gone.id)
        await tx.execute(
            sa.update(store.COMMUNITY)
            .where(store.COMMUNITY.c.id == unfounded.id)
            .values(standing=Standing.COMING)
        )
        await store.add_ban(tx, domain.Ban(open_.id, BOB, ADA, "", NOW))
    for order in Order:
        wanted = Wanted(order, query=question("chess"))
        assert await found(world, wanted) == ["chess open"]
        assert await found(world, wanted, BOB) == []
    async with world.database.transaction() as tx:
        await store.lift_ban(tx, open_.id, BOB)
    assert await found(world, Wanted(Order.MEMBERS), BOB) == ["chess open"]


MANY = """
    INSERT INTO community
            (id, name, owner_id, create_time, standing, visibility, fold, facets, search)
        SELECT gen_random_uuid(), 'x', gen_random_uuid(), now() - n * interval '1 hour',
            'settled', CASE n % 2 WHEN 0 THEN 'public' ELSE 'private' END, 'c' || n,
            ARRAY['#tag' || n % 1000, CASE n % 3 WHEN 0 THEN '=de' ELSE '=en' END],
            array_to_tsvector(ARRAY['word' || n % 1000, 'all'])
        FROM generate_series(1, 30000) AS n;
    INSERT INTO member_count
        SELECT id, random() * 1000, visibility = 'public' FROM community;
    INSERT INTO member_change (community_id, change)
        SELECT id, 1 FROM community, generate_series(1, 2) WHERE visibility = 'private';
    INSERT INTO ban SELECT id, gen_random_uuid(), owner_id, '', now() FROM community;
    ANALYZE
"""


async def test_however_many_there_are_an_index_finds_them(database: Database) -> None:
    async with database.transaction() as tx:
        for statement in MANY.split(";"):
            await tx.execute(sa.text(statement))
    somewhere: dict[Order, Any] = {
        Order.NAME: "c5",
        Order.NEWEST: NOW,
        Order.MEMBERS: 500,
        Order.RELEVANCE: 0.01,
    }
    for order, key in somewhere.items():
        rare, common = question("word77 "), question("all ")
        asked = {
            "rare": (Wanted(order, query=rare), "community_found"),
            "tagged": (Wanted(order, query=common, facets=("#tag7", "=de")), "community_found"),
        }
        if order == Order.RELEVANCE:
            asked["beginning"] = (Wanted(order, query=question("word77")), "community_found")
        else:
            walked = {
                Order.NAME: "community_public",
                Order.NEWEST: "community_newest",
                Order.MEMBERS: "member_count_listed",
            }[order]
            asked |= {
                "all": (Wanted(order), walked),
                "common": (Wanted(order, query=common), walked),
                "spoken": (Wanted(order, facets=("=en",)), walked),
            }
        for what, (wanted, index) in asked.items():
            for after in (None, (key, ids.new())):
                plan = await plan_of(database, partial(looked, wanted=wanted, after=after))
                assert index in plan, f"{order.name} {what}: {plan}"
                assert "Seq Scan" not in plan, f"{order.name} {what}: {plan}"


async def looked(tx: Transaction, wanted: Wanted, after: Any) -> None:
    await store.public_communities(tx, wanted, EVE, after, 51)


async def members(world: World, community_id: UUID) -> tuple[int, int]:
    """How many it says, and how many there are."""
    async with world.database.reading() as tx:
        said = (await store.community(tx, community_id)).members
        there = sa.select(sa.func.count()).where(
            store.MEMBER.c.community_id == community_id,
            store.MEMBER.c.standing == Standing.SETTLED,
        )
        return said, (await tx.execute(there)).scalar_one()


async def test_members_are_counted_whatever_comes_and_goes_at_once(world: World) -> None:
    community = await world.found()
    assert await members(world, community.id) == (1, 1)

    async def come(*, leave: bool) -> None:
        user = ids.new()
        await world.intend_joining(community, user)
        await world.memberships.finish_joining(community.id, user)
        if leave:
            await world.intend_leaving(community, user)
            await world.memberships.finish_leaving(community.id, user)

    async def look() -> None:
        for _ in range(10):
            said, there = await members(world, community.id)
            assert 1 <= said <= 21
            assert 1 <= there <= 21

    async def count() -> None:
        for _ in range(10):
            await take_in(world)

    work = [come(leave=bool(n % 2)) for n in range(20)]
    await asyncio.gather(*work, look(), count(), count())
    assert await members(world, community.id) == (11, 11)
    await take_in(world)
    assert await members(world, community.id) == (11, 11)


async def test_who_is_on_the_way_in_or_out_does_not_count(world: World) -> None:
    community = await world.found()
    await world.intend_joining(community)
    assert await members(world, community.id) == (1, 1)
    await world.memberships.finish_joining(community.id, BOB)
    async with world.database.transaction() as tx:
        await store.let_go(tx, community.id, BOB, ADA)
    assert await members(world, community.id) == (1, 1)
    async with world.database.transaction() as tx:
        await store.reinstate(tx, community.id, BOB, ADA)
    assert await members(world, community.id) == (2, 2)
    async with world.database.transaction() as tx:
        await person.close(tx, community.id)
    assert await members(world, community.id) == (0, 0)


async def test_nobody_who_joins_waits_for_another_who_does(world: World) -> None:
    community = await world.found()
    async with world.database.transaction() as first:
        await join(first, community.id)
        async with asyncio.timeout(5), world.database.transaction() as second:
            await join(second, community.id)
            assert not await store.take_in_changes(second)
    assert await members(world, community.id) == (3, 3)


DISCOVER = "/v1/communities:discover"


def opened(person: Person, name: str, **said: Any) -> str:
    community = str(person.found(name)["id"])
    body = {"visibility": "VISIBILITY_PUBLIC", **said}
    person.do("PATCH", f"/v1/communities/{community}", json=body)
    return community


def names(person: Person, **asked: Any) -> list[str]:
    page = person.do("GET", DISCOVER, params=asked)
    return [one["name"] for one in page["communities"]]


def test_people_find_communities_by_what_they_say(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    mark = f"m{uuid.uuid4().hex[:10]}"
    first = opened(ada, f"{mark} Café", tags=["Board Games", "board_games"], language="PT-br")
    opened(ada, "Other", description=f"Like {mark}, but later.", tags=[mark])
    ada.found(f"{mark} secret")
    shown = ada.do("GET", f"/v1/communities/{first}")
    assert (shown["tags"], shown["language"]) == (["board-games"], "pt-BR")
    assert names(bob, query=mark.upper()) == [f"{mark} Café", "Other"]
    assert names(bob, query=f"{mark} cafe") == [f"{mark} Café"]
    newest = names(bob, query=mark, order="COMMUNITY_ORDER_NEWEST")
    assert newest == ["Other", f"{mark} Café"]
    assert names(bob, query=mark, tags="BOARD GAMES", language="pt") == [f"{mark} Café"]
    assert names(bob, tags=mark) == ["Other"]
    assert names(bob, query="?!") == []
    ada.do("POST", f"/v1/communities/{first}/bans", json={"user_id": bob.id})
    assert names(bob, query=mark) == ["Other"]
    ada.do("PATCH", f"/v1/communities/{first}", json={"update_mask": "tags,language"})
    assert names(ada, query=mark, language="pt") == []


def test_everybody_is_told_how_many_there_are(live: Live) -> None:
    ada, eve = live.sign_up("ada"), live.sign_up("eve")
    mark = f"m{uuid.uuid4().hex[:10]}"
    assert ada.found("Mine")["member_count"] == 1
    here = opened(ada, mark)
    people = [live.sign_up("guest") for _ in range(4)]
    path = f"/v1/communities/{here}"
    with ThreadPoolExecutor(4) as threads:
        joined = list(threads.map(lambda each: each.do("POST", f"{path}:join"), people))
    assert max(reply["member_count"] for reply in joined) == 5
    people[0].do("POST", f"{path}:leave")
    assert ada.do("GET", path)["member_count"] == 4
    (shown,) = eve.do("GET", DISCOVER, params={"query": mark})["communities"]
    assert shown["member_count"] == 4


def test_a_place_in_one_order_is_none_in_another(live: Live) -> None:
    ada = live.sign_up("ada")
    mark = f"m{uuid.uuid4().hex[:10]}"
    for number in range(3):
        opened(ada, f"{mark} {number}")
    asked = {"query": mark, "page_size": 1, "order": "COMMUNITY_ORDER_RELEVANCE"}
    token = ada.do("GET", DISCOVER, params=asked)["next_page_token"]
    rest = ada.do("GET", DISCOVER, params={**asked, "page_size": 5, "page_token": token})
    assert len(rest["communities"]) == 2
    assert ada.ask("GET", DISCOVER, params={"query": mark, "page_token": token}).is_success
    eve = live.sign_up("eve")
    refused = eve.ask("GET", DISCOVER, params={**asked, "page_token": token})
    assert refusal(refused) == (400, "INVALID_PAGE_TOKEN")
    for other in (
        {"order": "COMMUNITY_ORDER_NEWEST"},
        {"order": "COMMUNITY_ORDER_MEMBERS"},
        {"query": mark[:-1]},
        {"tags": "x"},
        {"language": "de"},
    ):
        refused = ada.ask("GET", DISCOVER, params={**asked, "page_token": token, **other})
        assert refusal(refused) == (400, "INVALID_PAGE_TOKEN")


@pytest.mark.parametrize(
    "wrong",
    [
        {"order": "COMMUNITY_ORDER_RELEVANCE"},
        {"query": "x" * 101},
        {"tags": "#"},
        {"tags": list("abcdef")},
        {"language": "e"},
        {"language": "en_US"},
    ],
    ids=["by nothing", "long", "no tag", "many tags", "no language", "underscore"],
)
def test_what_cannot_be_looked_for_is_refused(live: Live, wrong: Any) -> None:
    ada = live.sign_up("ada")
    assert refusal(ada.ask("GET", DISCOVER, params=wrong)) == (400, "INVALID_FIELD")


def test_a_community_says_so_much_of_itself(live: Live) -> None:
    ada = live.sign_up("ada")
    path = f"/v1/communities/{ada.found()['id']}"
    for wrong in ({"tags": list("abcdef")}, {"tags": ["a!"]}, {"language": "english language"}):
        assert refusal(ada.ask("PATCH", path, json=wrong)) == (400, "INVALID_FIELD")
