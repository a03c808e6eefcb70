"""A permission check in a service that knows nothing of the community yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
import random
import time
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from bench import measure, people
from bench.measure import Result
from chassis import ids
from creavio.rbac.v1.access_service_pb2 import GetAccessRequest
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from tests.live import Live

_CHECKS: Final = 300
_COPIES: Final = """
    CREATE TEMPORARY TABLE made ON COMMIT DROP AS
        SELECT uuidv7() AS id FROM generate_series(1, :number);
    INSERT INTO community (id, version, revision, next_number)
        SELECT made.id, 1, 1, c.next_number FROM made, community c WHERE c.id = :community;
    INSERT INTO role (
            id, community_id, name, position, number, kind, color, allow, deny, create_time)
        SELECT uuidv7(), made.id, r.name, r.position, r.number, r.kind, r.color, r.allow, r.deny,
               r.create_time
        FROM made, role r WHERE r.community_id = :community;
    INSERT INTO person (community_id, user_id, version, revision)
        SELECT made.id, :owner, 1, 1 FROM made;
    INSERT INTO binding (community_id, user_id, role_id)
        SELECT made.id, b.user_id, mine.id
        FROM made, binding b
        JOIN role r ON r.id = b.role_id
        JOIN role mine ON mine.number = r.number
        WHERE b.community_id = :community AND b.user_id = :owner AND mine.community_id = made.id
"""
"""As many communities as are asked for, each with the roles and the owner of one."""


async def checks(live: Live, place: people.Place, *, quick: bool) -> AsyncIterator[Result]:
    """What a service asks rbac before it decides by itself, among more and more communities."""
    there = 1
    for number in (100, 1_000) if quick else (100, 10_000, 100_000):
        copies = _add(live, place, number - there)
        there = number
        chance = random.Random(number)  # noqa: S311  # nothing secret
        chosen = chance.sample(copies, min(_CHECKS, len(copies)))
        load = f"{number:,} communities"
        yield await _asked(live, place, "check, cold", load, chosen)
        yield await _asked(live, place, "check, cold, again", load, chosen)


def _add(live: Live, place: people.Place, number: int) -> list[UUID]:
    community = ids.parse(ids.Kind.COMMUNITY, place.community, field="community_id")
    owner = ids.parse(ids.Kind.USER, place.owner.id, field="user_id")
    engine = sa.create_engine(live.database_url("creavio_rbac"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in _COPIES.split(";"):
            given = {"number": number, "community": community, "owner": owner}
            names = {name: given[name] for name in given if f":{name}" in statement}
            connection.execute(sa.text(statement), names)
        made = list(connection.scalars(sa.text("SELECT id FROM made")))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    return made


async def _asked(
    live: Live, place: people.Place, name: str, load: str, communities: list[UUID]
) -> Result:
    latencies: list[float] = []
    usage = measure.usage(live)
    async with live.as_service("chat") as chat:
        access = AccessServiceStub(chat.channel)
        with usage.spent() as cpu:
            began = time.perf_counter()
            for one in communities:
                request = GetAccessRequest(
                    user_id=place.owner.id, community_id=ids.text(ids.Kind.COMMUNITY, one)
                )
                started = time.perf_counter()
                reply = await chat.call(access.GetAccess, request)
                latencies.append(time.perf_counter() - started)
                assert reply.masks.masks
            took = time.perf_counter() - began
    extra = {"rbac_us": cpu["rbac"] / len(latencies) * 1e6}
    return Result(name, load, len(latencies), took, cpu, latencies, extra)
