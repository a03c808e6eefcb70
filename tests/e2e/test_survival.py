"""What holds while a part is silent, and what is there again once it was killed.

What becomes of messages when parts die under load, tests/chaos tries.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
import os
import signal
import time

import httpx
import pytest
import sqlalchemy as sa

from tests.live import Live, running


@pytest.fixture(scope="module")
def harmed() -> Iterator[Live]:
    """A platform that tests before may have harmed."""
    with running() as platform:
        yield platform


@pytest.fixture
def frail(harmed: Live) -> Live:
    """A platform that is well, and may be harmed."""
    harmed.await_health()
    return harmed


@pytest.fixture
def apart(frail: Live) -> Iterator[Live]:
    """A platform that is well, and whose services can be harmed one by one."""
    if not frail.compact:
        yield frail
        return
    with running(CREAVIO_COMPACT="0") as platform:
        yield platform


def test_a_grant_works_at_once_even_while_nothing_is_announced(frail: Live) -> None:
    ada, bob = frail.sign_up("ada"), frail.sign_up("bob")
    community = ada.found()["id"]
    channel, code = ada.open_channel(community)["id"], ada.invite(community)
    path = f"/v1/channels/{channel}/messages"
    # Twice, so that the denial is known where it is decided.
    assert [bob.ask("GET", path).status_code for _ in range(2)] == [404, 404]
    with frail.stopped("nats"):
        bob.accept(code)
        assert bob.ask("GET", path).status_code == 200


def test_what_was_acknowledged_is_told_though_its_service_died_first(apart: Live) -> None:
    ada, bob = apart.sign_up("ada"), apart.sign_up("bob")
    community = ada.found()["id"]
    channel = ada.open_channel(community)["id"]
    bob.accept(ada.invite(community))
    with bob.listening() as heard:
        # NATS is deaf while it is sent, and gone with what waited in its socket.
        nats = apart.pid("nats")
        os.kill(nats, signal.SIGSTOP)
        sent = ada.send(channel, "my last words")
        apart.kill("chat")
        os.kill(nats, signal.SIGKILL)
        assert heard.until("message_created", within=15)["message"] == sent


def test_what_was_revoked_ends_even_while_nothing_is_announced(frail: Live) -> None:
    """Reading may go on for half a minute then; writing is asked about first."""
    ada, bob = frail.sign_up("ada"), frail.sign_up("bob")
    community = ada.found()["id"]
    channel = ada.open_channel(community)["id"]
    bob.accept(ada.invite(community))
    path = f"/v1/channels/{channel}/messages"
    bob.send(channel, "I am in")
    with frail.stopped("nats"):
        ada.do("DELETE", f"/v1/communities/{community}/members/{bob.id}")
        time.sleep(1.2)
        assert bob.ask("POST", path, json={"content": "still in?"}).status_code == 404


def test_nobody_guesses_while_rbac_cannot_be_asked(apart: Live) -> None:
    ada, eve = apart.sign_up("ada"), apart.sign_up("eve")
    channel = ada.open_channel(ada.found()["id"])["id"]
    with apart.stopped("rbac"):
        for person in (ada, eve):
            reply = person.ask("POST", f"/v1/channels/{channel}/messages", json={"content": "?"})
            assert reply.status_code == 503, reply.text
    ada.send(channel, "back again")


def test_a_join_is_remembered_when_everything_is_killed(frail: Live) -> None:
    ada, bob = frail.sign_up("ada"), frail.sign_up("bob")
    community = ada.found()["id"]
    channel = ada.open_channel(community)["id"]
    bob.accept(ada.invite(community))
    for part in ("nats", "warm"):
        frail.kill(part)

    def reads() -> bool:
        try:
            return bob.ask("GET", f"/v1/channels/{channel}/messages").is_success
        except httpx.TransportError:
            return False

    ends = time.monotonic() + 30
    while not reads():
        assert time.monotonic() < ends, "bob cannot read"
        time.sleep(0.1)
    assert bob.send(channel, "still here")["sequence"] == "1"


def crowd_comes_in(live: Live) -> None:
    """People sign up and found something, so many at once that every pool is used."""
    with ThreadPoolExecutor(8) as people:
        list(people.map(lambda _: live.sign_up().found(), range(8)))


@pytest.mark.parametrize("part", ["user", "auth", "rbac", "nats", "postgres", "envoy", "warm"])
def test_who_comes_the_moment_all_is_well_again_is_served(frail: Live, part: str) -> None:
    crowd_comes_in(frail)
    frail.kill(part)
    frail.await_recovery()
    crowd_comes_in(frail)


def test_a_change_of_permissions_that_nobody_announced_ends_no_service(frail: Live) -> None:
    frail.sign_up("ada").found()
    before = {part["name"]: part["pid"] for part in frail.status()["parts"]}
    engine = sa.create_engine(frail.database_url("creavio_rbac"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE revision SET value = value + 1"))
    time.sleep(1.5)
    assert {part["name"]: part["pid"] for part in frail.status()["parts"]} == before
