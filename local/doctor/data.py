"""The data: databases and their migrations, events that wait, streams and durables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
import re
from typing import TYPE_CHECKING

from chassis.catalog import CatalogError
from local.bus import ADMIN, BusPlan, PlanError
from local.credentials import Credentials
from local.databases import connected, database_of, kept_services
from local.doctor.finding import Finding, Verdict, megabytes, worst
from local.home import Home

if TYPE_CHECKING:
    from nats.js.api import ConsumerInfo, StreamInfo

_AREA = "data"
_WAITING = """
SELECT count(*), coalesce(extract(epoch FROM now() - min(create_time)), 0)::float8
FROM outbox WHERE position IS NULL AND create_time < now() - interval '10 s'
"""
_DEAD = "SELECT count(*) FROM dead_letter"
_REVISION = "SELECT version_num FROM alembic_version"
_LONG_SECONDS = 60
_FAR_BEHIND = 1_000
_PORT = re.compile(r"^port: (\d+)$", re.MULTILINE)
_SECONDS = 10


def look(home: Home) -> Iterator[Finding]:
    """Look into every database, and into NATS. Both are expected to run."""
    try:
        services = kept_services()
    except CatalogError as error:
        yield Finding(_AREA, "catalog", Verdict.FAIL, str(error))
        return
    for service in services:
        yield _database(home, service)
    yield from _streams(home)


def _database(home: Home, service: str) -> Finding:
    import psycopg

    from chassis.migrate import migrations_of, newest

    try:
        with connected(home, database_of(service)) as connection:
            if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
                text = "its database was never migrated"
                return Finding(_AREA, service, Verdict.FAIL, text, f"creavio reload {service}")
            ((revision,),) = connection.execute(_REVISION).fetchall()
            ((waiting, age),) = connection.execute(_WAITING).fetchall()
            ((dead,),) = connection.execute(_DEAD).fetchall()
    except (psycopg.Error, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["does not answer"])[-1]
        return Finding(_AREA, service, Verdict.FAIL, reason, "creavio logs postgres")
    head = newest(migrations_of(service))
    if revision != head:
        return Finding(_AREA, service, *_stale(service, revision, head))
    text = f"at {revision}"
    verdicts, mends = [Verdict.OK], []
    if waiting:
        verdicts.append(Verdict.FAIL if age > _LONG_SECONDS else Verdict.WARN)
        text += f"; {waiting} events wait to go out, the oldest {age:.0f} s"
        mends.append(f"creavio logs {service}")
    if dead:
        verdicts.append(Verdict.WARN)
        text += f"; {dead} events could not be handled"
        mends.append("creavio events dead")
    if not mends:
        text += ", nothing waits, nothing failed"
    return Finding(_AREA, service, worst(*verdicts), text, "; ".join(mends))


def _stale(service: str, revision: str, head: str) -> tuple[Verdict, str, str]:
    if revision > head:
        text = f"its database is at {revision}, made by a newer Creavio; this knows {head}"
        return Verdict.FAIL, text, "run that release"
    text = f"its database is at {revision}, the code is at {head}"
    return Verdict.FAIL, text, f"creavio reload {service}"


def _streams(home: Home) -> Iterator[Finding]:
    from nats.errors import Error as NatsError

    try:
        password = Credentials(home.secrets).password(f"nats_{ADMIN}")
        plan = _plan()
        there = asyncio.run(asyncio.wait_for(_ask(_url(home), password), _SECONDS))
    except PlanError as error:
        yield Finding(_AREA, "streams", Verdict.FAIL, str(error), "make proto")
    except (OSError, NatsError, TimeoutError) as error:
        text = f"NATS does not answer: {error or type(error).__name__}"
        yield Finding(_AREA, "streams", Verdict.FAIL, text, "creavio logs nats")
    else:
        yield _judge_streams(plan, there)
        yield _judge_durables(plan, there)


_There = dict[str, "tuple[StreamInfo, list[ConsumerInfo]]"]


def _url(home: Home) -> str:
    """Where NATS listens. Raises `OSError`."""
    found = _PORT.search((home.nats / "nats.conf").read_text())
    if found is None:
        raise OSError("nats.conf names no port")
    return f"nats://127.0.0.1:{found[1]}"


def _plan() -> BusPlan:
    from chassis import catalog as catalogs
    from local import bus_plan

    return bus_plan.load(catalogs.CATALOG_FILE)


async def _ask(url: str, password: str) -> _There:
    from local import streams

    async with streams.connected(url, password) as client:
        jetstream = client.jetstream(timeout=5)
        there: _There = {}
        for info in await jetstream.streams_info():
            name = str(info.config.name)
            there[name] = info, await jetstream.consumers_info(name)
        return there


def _judge_streams(plan: BusPlan, there: _There) -> Finding:
    missing = [stream.name for stream in plan.streams if stream.name not in there]
    if missing:
        text = f"missing: {', '.join(missing)}"
        return Finding(_AREA, "streams", Verdict.FAIL, text, "creavio logs nats")
    events = sum(info.state.messages for info, _ in there.values())
    size = sum(info.state.bytes for info, _ in there.values())
    text = f"{len(plan.streams)} hold {events:,} events, {megabytes(size)}"
    return Finding(_AREA, "streams", Verdict.OK, text)


def _judge_durables(plan: BusPlan, there: _There) -> Finding:
    behind, missing = 0, []
    for durable in plan.durables:
        consumers = there.get(durable.stream, (None, []))[1]
        info = next((c for c in consumers if c.name == durable.name), None)
        if info is None:
            missing.append(f"{durable.name} on {durable.stream}")
        else:
            behind += info.num_pending or 0
    if missing:
        text = f"missing: {', '.join(missing)}"
        return Finding(_AREA, "durables", Verdict.FAIL, text, "creavio logs nats")
    text = f"{len(plan.durables)}, with {behind:,} events to handle"
    if behind > _FAR_BEHIND:
        return Finding(_AREA, "durables", Verdict.WARN, text, "creavio status")
    return Finding(_AREA, "durables", Verdict.OK, text)
