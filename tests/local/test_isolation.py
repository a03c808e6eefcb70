"""Each service reaches its own database and subjects, and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import socket
from urllib.parse import urlsplit

import nats
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.errors import NotFoundError
import psycopg
import pytest

from chassis.config import Config, load
from local.home import Instance
from tests.local.running import Running

PATIENCE = 30
"""Seconds for an answer of a disk that other tests keep busy."""
DATABASE_OWNERS = ("auth", "user", "rbac", "community", "chat")


def config_of(platform: Running, service: str) -> Config:
    """What a service is told when it starts."""
    return load(platform.home.env_file(Instance(service)))


def conninfo(platform: Running, service: str) -> str:
    """How libpq reaches a service's own database."""
    url = config_of(platform, service).database_url
    assert url is not None
    return url.get_secret_value().replace("postgresql+psycopg://", "postgresql://")


@asynccontextmanager
async def as_service(platform: Running, service: str) -> AsyncIterator[tuple[Client, list[str]]]:
    """A NATS connection of a service, and the refusals it gets."""
    config = config_of(platform, service)
    refusals: list[str] = []

    async def refused(error: Exception) -> None:
        refusals.append(str(error))

    client = await nats.connect(
        config.nats_url,
        user=config.nats_user,
        password=config.nats_password.get_secret_value(),
        inbox_prefix=f"_INBOX_{service}",
        error_cb=refused,
    )
    try:
        yield client, refusals
    finally:
        await client.close()


async def refused_to(client: Client, refusals: list[str]) -> bool:
    """Whether what was just done was refused."""
    refusals.clear()
    await client.flush()
    await asyncio.sleep(0.05)
    return any("permissions violation" in refusal.lower() for refusal in refusals)


@pytest.mark.parametrize("service", DATABASE_OWNERS)
def test_a_role_reaches_its_own_database_and_no_other(platform: Running, service: str) -> None:
    own = conninfo(platform, service)
    with psycopg.connect(own) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS mine (id int)")
        row = connection.execute("SELECT current_user, current_database()").fetchone()
        assert row == (f"creavio_{service}", f"creavio_{service}")
    others = {f"creavio_{name}" for name in DATABASE_OWNERS if name != service}
    for database in (*others, "postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(own, dbname=database)


def test_a_wrong_password_and_none_are_refused(platform: Running) -> None:
    own = conninfo(platform, "chat")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(own, password="guess")
    with pytest.raises(psycopg.OperationalError, match=r"no password supplied|password"):
        psycopg.connect(f"host={platform.home.postgres} user=postgres dbname=postgres")


def test_a_role_may_hold_no_more_connections_than_the_catalog_says(platform: Running) -> None:
    own = conninfo(platform, "user")
    held: list[psycopg.Connection[tuple[object, ...]]] = []
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            held.extend(psycopg.connect(own) for _ in range(12))
    finally:
        for connection in held:
            connection.close()


async def test_a_service_says_only_what_it_emits(platform: Running) -> None:
    async with as_service(platform, "chat") as (chat, refusals):
        await chat.publish("live.creavio.chat.v1.heartbeat", b"")
        assert not await refused_to(chat, refusals)
        for subject in ("creavio.rbac.v1.policy_changed.x", "live.creavio.rbac.v1.heartbeat", "x"):
            await chat.publish(subject, b"forged")
            assert await refused_to(chat, refusals), subject


async def test_a_service_hears_only_what_it_follows(platform: Running) -> None:
    async with as_service(platform, "chat") as (chat, refusals):
        # What its replicas say is among what it follows.
        for subject in ("live.creavio.rbac.>", "live.creavio.chat.>"):
            await chat.subscribe(subject)
            assert not await refused_to(chat, refusals), subject
        for subject in (">", "creavio.>", "live.creavio.user.>", "_INBOX_user.>", "$JS.>"):
            await chat.subscribe(subject)
            assert await refused_to(chat, refusals), subject


async def test_the_gateway_follows_everything_live_and_says_nothing(platform: Running) -> None:
    async with as_service(platform, "gateway") as (gateway, refusals):
        await gateway.subscribe("live.creavio.>")
        assert not await refused_to(gateway, refusals)
        await gateway.publish("creavio.chat.v1.message_created.a.b", b"forged")
        assert await refused_to(gateway, refusals)


async def test_what_a_stream_keeps_is_published_live_with_its_position(platform: Running) -> None:
    async with (
        as_service(platform, "gateway") as (gateway, _),
        as_service(platform, "chat") as (chat, _),
    ):
        follower = await gateway.subscribe("live.creavio.chat.>")
        await gateway.flush()
        kept = set[int]()
        # What is told live may be lost, and whoever follows asks for it by its position: of
        # some, one is heard.
        for _ in range(6):
            published = await chat.jetstream(timeout=PATIENCE).publish(
                "creavio.chat.v1.message_created.a.b", b"hello"
            )
            kept.add(published.seq)
            with suppress(NatsTimeoutError):
                heard = await follower.next_msg(5)
                break
        else:
            pytest.fail("nothing is published live")
        assert heard.headers is not None
        position = int(heard.headers["Nats-Sequence"])
        assert position in kept
        jetstream = gateway.jetstream(timeout=PATIENCE)
        again = await jetstream.get_msg("CREAVIO_CHAT", position, direct=True)
        assert again.data == b"hello"


async def test_a_message_id_is_kept_once(platform: Running) -> None:
    async with as_service(platform, "chat") as (chat, _):
        jetstream = chat.jetstream(timeout=PATIENCE)
        headers = {"Nats-Msg-Id": "one"}
        subject = "creavio.chat.v1.message_created.a.b"
        first = await jetstream.publish(subject, b"", headers=headers)
        again = await jetstream.publish(subject, b"", headers=headers)
        assert (again.seq, again.duplicate) == (first.seq, True)


async def test_a_consumer_takes_from_its_durable_and_changes_nothing(platform: Running) -> None:
    async with (
        as_service(platform, "community") as (community, _),
        as_service(platform, "chat") as (chat, refusals),
    ):
        jetstream = community.jetstream(timeout=PATIENCE)
        await jetstream.publish("creavio.community.v1.channel_created.c.x", b"made")
        await jetstream.publish("creavio.community.v1.invite_created.c.x", b"other")
        durable = await chat.jetstream().pull_subscribe_bind(
            durable="chat", stream="CREAVIO_COMMUNITY", inbox_prefix=b"_INBOX_chat."
        )
        (message,) = await durable.fetch(10, timeout=PATIENCE)
        assert message.data == b"made"
        await message.ack_sync(timeout=PATIENCE)
        manager = chat.jetstream(timeout=0.3)
        refusals.clear()
        for forbidden in (
            manager.stream_info("CREAVIO_COMMUNITY"),
            manager.delete_stream("CREAVIO_CHAT"),
            manager.purge_stream("CREAVIO_CHAT"),
            manager.delete_consumer("CREAVIO_COMMUNITY", "chat"),
            manager.add_stream(name="MINE", subjects=["mine"]),
        ):
            with pytest.raises((NatsTimeoutError, NoRespondersError, NotFoundError)):
                await forbidden
        await chat.flush()
        assert len([r for r in refusals if "permissions violation" in r.lower()]) == 5


def test_nobody_connects_to_nats_without_a_password(platform: Running) -> None:
    address = urlsplit(config_of(platform, "chat").nats_url)
    with socket.create_connection((address.hostname, address.port or 0), timeout=5) as connection:
        stream = connection.makefile("rwb")
        assert stream.readline().startswith(b"INFO ")
        stream.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
        stream.flush()
        assert b"Authorization Violation" in stream.readline()
