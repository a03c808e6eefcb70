"""Who may begin to talk to whom: blocks first, then what people chose; which it was is not said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
import time
from typing import Any
from uuid import UUID

import httpx
from hypothesis import given
from hypothesis import strategies as st
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.clients import Clients
from chassis.contract import Contract
from chassis.database import Database, Transaction
from chassis.errors import Unavailable
from chassis.publisher import Entry
from chassis.testing import plan_of, standing_in
from creavio.rbac.v1.access_service_pb2_grpc import add_AccessServiceServicer_to_server
from creavio.user.v1 import reach_service_pb2
from services.user import convert, domain, store
from services.user.domain import Audience, Settings
from services.user.engine import Fellows, Untold
from services.user.handler import ReachHandler
from services.user.store.tables import PROFILE
from tests.live import PASSWORD, Live, Person, refusal
from tests.user.test_fellows import Rbac

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY, COMMUNITIES = "DIRECT_MESSAGES_NOBODY", "DIRECT_MESSAGES_COMMUNITIES"
REFUSED = (403, "NOT_REACHABLE")


@given(st.sampled_from(Audience), st.booleans(), st.booleans())
def test_a_block_goes_first_and_a_wider_circle_takes_more(
    audience: Audience, blocked: bool, fellow: bool
) -> None:
    taken = domain.takes_messages(audience, blocked=blocked, fellow=fellow)
    assert not (blocked and taken)
    if taken:
        assert domain.takes_messages(Audience.EVERYBODY, blocked=False, fellow=fellow)
        assert audience is not Audience.NOBODY
    if audience is Audience.COMMUNITIES and not blocked:
        assert taken == fellow


@dataclass
class Stage:
    """user next to rbac."""

    database: Database
    rbac: Rbac
    handler: ReachHandler

    async def join(self, handle: str, audience: Audience = Audience.EVERYBODY) -> UUID:
        made = domain.new_profile(ids.new(), handle, handle, NOW)
        async with self.database.transaction() as tx:
            await store.add(tx, made)
            await store.keep_settings(tx, made.id, Settings(direct_messages=audience))
        return made.id

    async def asked(self, who: UUID, *among: UUID) -> tuple[set[UUID], set[UUID]]:
        """Whom they do not reach, and who of the others is away."""
        request = reach_service_pb2.CheckReachRequest(
            user_id=convert.user_text(who), among=map(convert.user_text, among)
        )
        reply = await self.handler.CheckReach(request, None)
        unreached, away = reply.unreachable_ids, reply.deactivated_ids
        return set(map(convert.user_id, unreached)), set(map(convert.user_id, away))


@pytest.fixture
async def stage(
    contract: Contract, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> AsyncIterator[Stage]:
    rbac = Rbac()  # type: ignore[abstract]  # the other RPCs are not called
    async with (
        scratch("user") as database,
        standing_in(contract, (add_AccessServiceServicer_to_server, rbac)) as address,
    ):
        clients = Clients("user", address, contract)
        yield Stage(database, rbac, ReachHandler(database, Fellows(clients)))
        await clients.close()


async def test_everybody_is_asked_about_at_once(stage: Stage) -> None:
    bob, open_, closed = (
        await stage.join("bob"),
        await stage.join("open"),
        await stage.join("closed", Audience.NOBODY),
    )
    near, far = [await stage.join(name, Audience.COMMUNITIES) for name in ("near", "far")]
    blocker = await stage.join("blocker", Audience.COMMUNITIES)
    away, hidden = await stage.join("away"), await stage.join("hidden", Audience.NOBODY)
    nobody = ids.new()
    stage.rbac.fellows = {convert.user_text(near), convert.user_text(blocker)}
    async with stage.database.transaction() as tx:
        await store.add_block(tx, blocker, bob, NOW)
        await store.add_block(tx, bob, open_, NOW)
        for gone in (away, hidden):
            await store.set_deactivated(tx, gone, 1, deactivated=True)
    unreached, deactivated = await stage.asked(
        bob, open_, closed, near, far, blocker, away, hidden, nobody
    )
    assert unreached == {closed, far, blocker, hidden, nobody}
    assert deactivated == {away}
    # Of who blocked somebody nothing more is asked.
    (asked,) = stage.rbac.asked
    assert asked == {convert.user_text(near), convert.user_text(far)}


async def test_what_cannot_be_known_is_not_guessed(stage: Stage) -> None:
    bob, ada = await stage.join("bob"), await stage.join("ada", Audience.COMMUNITIES)
    stage.rbac.away = True
    with pytest.raises(Unavailable):
        await stage.asked(bob, ada)
    assert await stage.asked(ada, bob) == (set(), set())


async def test_others_are_told_once_of_who_was_away_before_they_kept_it(stage: Stage) -> None:
    told: list[Any] = []

    async def keep(transaction: Transaction) -> list[Entry]:
        told.extend(transaction.events)
        return []

    stage.database.attach_outbox(keep, lambda _: None)
    away, back = await stage.join("away"), await stage.join("back")
    async with stage.database.transaction() as tx:
        await store.set_deactivated(tx, away, 1, deactivated=True)
        await store.set_deactivated(tx, back, 2, deactivated=False)
        await tx.execute(sa.update(PROFILE).values(told_revision=0))
    for _ in range(2):
        await Untold(stage.database).tell()
    assert {(one.user_id, one.revision, one.deactivated) for one in told} == {
        (convert.user_text(away), 1, True),
        (convert.user_text(back), 2, False),
    }
    assert len(told) == 2


async def test_no_question_reads_a_whole_table(stage: Stage) -> None:
    async with stage.database.transaction() as tx:
        for statement in (
            "INSERT INTO profile (id, handle, display_name, bio, create_time)"
            " SELECT gen_random_uuid(), 'h' || n, 'x', '', now() FROM generate_series(1, 50000) n",
            "INSERT INTO settings (user_id, theme, locale, reduce_motion, hide_typing, compact)"
            " SELECT id, 0, '', false, false, false FROM profile",
            "ANALYZE",
        ):
            await tx.execute(sa.text(statement))
    for ask in (
        lambda tx: store.direct_messages_of(tx, [ids.new(), ids.new()]),
        lambda tx: store.take_untold_standings(tx, 100),
    ):
        plan = await plan_of(stage.database, ask)
        assert "Seq Scan" not in plan, plan


# As people meet it.


def choose(person: Person, audience: str) -> None:
    body = {"direct_messages": audience}
    assert person.do("PATCH", "/v1/users/me/settings", json=body)["direct_messages"] == audience


def begin(person: Person, *others: Person, group: bool = False) -> httpx.Response:
    body = {"user_ids": [other.id for other in others], "group": group}
    return person.ask("POST", "/v1/conversations", json=body)


def take_in(person: Person, group: str, other: Person) -> httpx.Response:
    body = {"user_ids": [other.id]}
    return person.ask("POST", f"/v1/conversations/{group}:addMembers", json=body)


def test_nobody_begins_with_who_wants_nobody_and_what_was_begun_stays_open(live: Live) -> None:
    ada, bob, eve = (live.sign_up(name) for name in ("ada", "bob", "eve"))
    two = begin(bob, ada).json()
    group = begin(bob, eve, group=True).json()["id"]
    choose(ada, NOBODY)
    assert begin(bob, ada).json() == two
    bob.send(two["id"], "still here")
    for refused in (begin(eve, ada), begin(eve, ada, bob), begin(bob, ada, group=True)):
        assert refusal(refused) == REFUSED
    assert refusal(take_in(bob, group, ada)) == REFUSED
    assert ada.id not in bob.do("GET", f"/v1/conversations/{group}")["member_ids"]
    # They begin with whom they like, and who is in stays in.
    assert begin(ada, eve).is_success
    mine = begin(ada, bob, group=True).json()["id"]
    assert take_in(bob, mine, ada).is_success
    ada.do("POST", "/v1/users/me/blocks", json={"user_id": bob.id})
    choose(ada, "DIRECT_MESSAGES_UNSPECIFIED")
    assert begin(bob, ada).json() == two, "what was said stays to be read"
    assert refusal(begin(bob, ada, group=True)) == REFUSED


def test_a_community_is_enough_as_long_as_both_belong(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    choose(ada, COMMUNITIES)
    stranger = begin(bob, ada)
    assert refusal(stranger) == REFUSED
    community = ada.found()["id"]
    bob.accept(ada.invite(community))
    assert begin(bob, ada, group=True).is_success
    ada.do("DELETE", f"/v1/communities/{community}/members/{bob.id}")
    left = begin(bob, ada, group=True)
    choose(ada, NOBODY)
    nobody = begin(bob, ada, group=True)
    choose(ada, COMMUNITIES)
    bob.accept(ada.invite(community))
    ada.do("POST", "/v1/users/me/blocks", json={"user_id": bob.id})
    blocked = begin(bob, ada, group=True)
    gone = replace(ada, session={"user": {"id": ids.text(ids.Kind.USER, ids.new())}})
    said = [
        {name: value for name, value in reply.json().items() if name != "details"}
        for reply in (stranger, left, nobody, blocked, begin(bob, gone))
    ]
    assert all(one == said[0] for one in said), "which rule it was is not said"
    assert refusal(blocked) == REFUSED


def test_who_is_away_is_written_to_when_they_are_back(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    two = begin(bob, ada).json()["id"]
    bob.send(two, "hello")
    ada.do("POST", "/v1/account:deactivate", json={"proof": {"password": PASSWORD}})
    path, body = f"/v1/channels/{two}/messages", {"content": "are you there?"}
    refused = _until(lambda: bob.ask("POST", path, json=body), 400)
    assert refusal(refused) == (400, "ACCOUNT_DEACTIVATED")
    assert refusal(begin(bob, ada, group=True)) == (400, "ACCOUNT_DEACTIVATED")
    assert "hello" in [message["content"] for message in bob.messages(two)]
    back = live.sign_in(ada.handle)
    _until(lambda: bob.ask("POST", path, json=body), 200)
    assert back.messages(two)[-1]["content"] == "are you there?"


def test_who_deleted_their_account_is_read_and_not_written_to(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    two = begin(bob, ada).json()["id"]
    bob.send(two, "hello")
    ada.do("POST", "/v1/account:delete", json={"proof": {"password": PASSWORD}})
    path, body = f"/v1/channels/{two}/messages", {"content": "are you there?"}
    refused = _until(lambda: bob.ask("POST", path, json=body), 400)
    assert refusal(refused) == (400, "ACCOUNT_DELETED")
    assert bob.messages(two)[0]["content"] == "hello"
    assert refusal(begin(bob, ada, group=True)) == REFUSED


def _until(ask: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """The first answer of this kind: chat hears of it in a moment."""
    ends = time.monotonic() + 15
    while True:
        reply = ask()
        if reply.status_code == status or time.monotonic() > ends:
            assert reply.status_code == status, reply.text
            return reply
