"""A community that many belong to: one more comes, writes, looks round, loses a right, leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
import time
from typing import Any, Final

import httpx
import sqlalchemy as sa

from bench import delivery, measure, people
from bench.measure import Result
from chassis import ids
from tests.live import Live, Person

_TIMES: Final = 10
_STREAMS: Final = 100
_PATIENCE: Final = 10.0
_PEOPLE: Final = """
    CREATE TEMPORARY TABLE came AS
        SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id, n
        FROM generate_series(1, :number) AS n
"""
"""The same people in every database."""
_JOINED: Final = {
    "creavio_user": """
        INSERT INTO profile (id, handle, display_name, bio, create_time, skeleton)
            SELECT id, 'came-' || n, 'Somebody ' || n, '', now(), 'came-' || n FROM came
    """,
    "creavio_rbac": """
        INSERT INTO person (community_id, user_id, version, revision, admission)
            SELECT :community, id, 1, 1, n FROM came;
        INSERT INTO binding (community_id, user_id, role_id)
            SELECT :community, came.id, role.id FROM came, role
            WHERE role.community_id = :community AND role.kind = 1
    """,
    # Its trigger writes down who came; what is written down is counted as it always is.
    "creavio_community": """
        INSERT INTO member (community_id, user_id, join_time, standing, change_time, admission)
            SELECT :community, id, now() - n * interval '1 ms', 'settled', now(), n FROM came
    """,
    "creavio_chat": """
        INSERT INTO reader (user_id, community_id, join_time, settled)
            SELECT id, :community, now(), hour_of(now()) FROM came
    """,
}
"""What services keep of somebody who joined, by database."""


def crowd(live: Live, listeners: list[Person], *, quick: bool) -> Iterator[Result]:
    """What one does among ten thousand members."""
    number = 1_000 if quick else 10_000
    place = people.found(live, 2)
    _fill(live, place.community, number)
    for person in listeners:
        place.join(person)
    load = f"{number:,} members"
    newcomers = [live.sign_up(f"newcomer-{n}") for n in range(_TIMES)]
    invite = place.owner.invite(place.community)
    yield _each(live, "join, until one can post", load, _joining(newcomers, invite, place))
    sending = delivery.delivery(live, place, listeners, _STREAMS, 2)
    for told in asyncio.run(sending):
        yield replace(told, load=f"{load}, {told.load}")
    members = f"/v1/communities/{place.community}/members"
    with _speaking(place.owner) as owner:
        first = [lambda: _page(owner, members)] * _TIMES
        yield _each(live, "members, the first page", load, first)
        seen: list[int] = []
        yield _each(live, "members, all pages", load, [lambda: seen.append(_all(owner, members))])
        assert seen[0] > number, f"{seen[0]} of {number} members are listed"
        presences = f"/v1/communities/{place.community}/presences"
        there = [lambda: _answered(owner.get(presences))] * _TIMES
        yield _each(live, "presences", load, there)
    yield _taken(live, place, listeners[0], load)
    yield _each(live, "leave", load, [partial(_leave, one, place) for one in newcomers])


def _fill(live: Live, community: str, number: int) -> None:
    names = {"number": number, "community": ids.parse(ids.Kind.COMMUNITY, community, field="id")}
    for database, joined in _JOINED.items():
        engine = sa.create_engine(live.database_url(database), poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in f"{_PEOPLE};{joined}".split(";"):
                given = {name: names[name] for name in names if f":{name}" in statement}
                connection.execute(sa.text(statement), given)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))


def _each(live: Live, name: str, load: str, work: Sequence[Callable[[], object]]) -> Result:
    latencies: list[float] = []
    with measure.usage(live).spent() as cpu:
        began = time.perf_counter()
        for one in work:
            started = time.perf_counter()
            one()
            latencies.append(time.perf_counter() - started)
        took = time.perf_counter() - began
    return Result(name, load, len(latencies), took, cpu, latencies)


def _speaking(person: Person) -> httpx.Client:
    """Calls of somebody over one connection, as a browser makes them."""
    headers = {"authorization": f"Bearer {person.token}"}
    return httpx.Client(base_url=person.live.url, headers=headers, timeout=15)


def _answered(reply: httpx.Response) -> Any:
    reply.raise_for_status()
    return reply.json()


def _joining(
    newcomers: Sequence[Person], invite: str, place: people.Place
) -> list[Callable[[], object]]:
    def join(person: Person) -> None:
        with _speaking(person) as client:
            _answered(client.post(f"/v1/invites/{invite}:accept"))
            _answered(client.post(_messages(place), json={"content": "hello"}))

    return [partial(join, one) for one in newcomers]


def _leave(person: Person, place: people.Place) -> None:
    with _speaking(person) as client:
        _answered(client.post(f"/v1/communities/{place.community}:leave"))


def _messages(place: people.Place) -> str:
    return f"/v1/channels/{place.channels[0]}/messages"


def _page(client: httpx.Client, path: str, token: str = "") -> Any:
    return _answered(client.get(path, params={"page_size": 100, "page_token": token}))


def _all(client: httpx.Client, path: str) -> int:
    """How many are listed."""
    number, token = 0, ""
    while True:
        page = _page(client, path, token)
        number, token = number + len(page["members"]), page["next_page_token"]
        if not token:
            return number


def _taken(live: Live, place: people.Place, member: Person, load: str) -> Result:
    """From asking that nobody may write until somebody who could is refused."""
    roles = f"/v1/communities/{place.community}/roles"
    everybody = place.owner.do("GET", roles)["roles"][-1]
    path, allowed = f"{roles}/{everybody['id']}", everybody["allow"]
    latencies: list[float] = []
    with (
        _speaking(place.owner) as owner,
        _speaking(member) as client,
        measure.usage(live).spent() as cpu,
    ):
        began = time.perf_counter()
        for _ in range(_TIMES):
            _await(client, place, httpx.codes.OK)
            silent = [one for one in allowed if one != "PERMISSION_SEND_MESSAGES"]
            started = time.perf_counter()
            _answered(owner.patch(path, json={"allow": silent}))
            _await(client, place, httpx.codes.FORBIDDEN)
            latencies.append(time.perf_counter() - started)
            _answered(owner.patch(path, json={"allow": allowed}))
        took = time.perf_counter() - began
    return Result("a right taken from all, until refused", load, _TIMES, took, cpu, latencies)


def _await(client: httpx.Client, place: people.Place, code: httpx.codes) -> None:
    ends = time.monotonic() + _PATIENCE
    while (reply := client.post(_messages(place), json={"content": "?"})).status_code != code:
        if time.monotonic() > ends:
            raise RuntimeError(f"{reply.status_code} and not {code}: {reply.text}")
