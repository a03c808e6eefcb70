"""What every service has beside its own: events out and in, keys, people to be erased."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis import epoch, events, idempotency, outbox, person
from chassis.database import Database, Transaction
from chassis.schema import DEAD_LETTER, ERASING, IDEMPOTENCY
from tests.growth.plans import Ask, carried_out
from tests.growth.questions import sizes

pytestmark = pytest.mark.timeout(900)
SERVICE = "user"
# Events of a week, a few of which wait; ids are uuid7, as the outbox's partitions go by them.
FILL = """
    INSERT INTO outbox (id, type, subject, body, headers, position, create_time)
        SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
                || lpad(to_hex(n), 20, '0'))::uuid,
            'type', 'subject', repeat('x', 200)::bytea, '{}',
            CASE WHEN n % 1000 <> 1 THEN n END, at
        FROM generate_series(1, :N) AS n
            CROSS JOIN LATERAL (SELECT now() - (:N - n) * interval '6 days' / :N AS at) AS moment;
    INSERT INTO inbox (event_id, create_time)
        SELECT 'evt_' || n, now() - (:N - n) * interval '14 days' / :N - interval '10 min'
        FROM generate_series(1, :N) AS n;
    INSERT INTO dead_letter (event_id, type, subject, body, error, create_time, replay)
        SELECT 'evt_' || n, 'type', 'live.chat.x', '', '', now(), n % 1000 = 1
        FROM generate_series(1, :N) AS n;
    INSERT INTO idempotency (owner, rpc, key, fingerprint, reply, create_time)
        SELECT 'usr_' || n % 1000, 'rpc', 'key' || n, '', '',
            now() - (:N - n) * interval '1 day' / :N - interval '2 min'
        FROM generate_series(1, :N) AS n;
    INSERT INTO erasing (user_id, times, due_time)
        SELECT id(n), 1, now() + (n % 500 - 1) * interval '1 h'
        FROM generate_series(1, :N) AS n;
"""


async def _swept(tx: Transaction) -> None:
    asked = {"after": UUID(int=0), "age": "2 s", "postponed": []}
    rows = (await tx.execute(outbox._WAITING, asked)).all()
    ids = sorted(row.id for row in rows)
    assert ids, "some wait"
    await tx.execute(outbox.RECORD, outbox.recorded(ids, range(len(ids))))


async def _compared(tx: Transaction) -> None:
    await tx.execute(epoch._UNRECORDED)
    highest = (await tx.execute(epoch._HIGHEST)).scalar_one()
    await tx.execute(epoch._RECORDED, {"highest": highest, "back": 64})


async def _dead(tx: Transaction) -> None:
    await tx.execute(events._MARKED.where(DEAD_LETTER.c.subject.like("live.chat.%")))


async def _keys_erased(tx: Transaction) -> None:
    await tx.execute(sa.delete(IDEMPOTENCY).where(IDEMPOTENCY.c.owner == "usr_7"))


async def _people_due(tx: Transaction) -> None:
    due = sa.select(ERASING.c.user_id).where(ERASING.c.due_time <= sa.func.now())
    await tx.execute(due.order_by(ERASING.c.due_time).limit(person._BATCH))


@pytest.mark.parametrize(
    "ask",
    [
        _swept,
        _compared,
        _dead,
        _keys_erased,
        _people_due,
        events.forget_old,
        idempotency.forget_old,
    ],
)
@pytest.mark.parametrize("prepared", [False, True], ids=["as_asked", "for_any_parameters"])
async def test_no_work_grows_with_what_there_is(
    database: Database, ask: Ask, prepared: bool
) -> None:
    async with database.reading() as tx:
        whole = await sizes(tx)
    told = [
        f"{why}\n{one.statement}"
        for one in await carried_out(database, ask, prepared=prepared)
        for why in one.broken(whole)
    ]
    assert not told, "\n".join(told)
