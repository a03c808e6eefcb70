"""The outbox's window: a partition a day, made ahead of time, dropped as a whole.

An outbox row is kept as long as JetStream keeps its event, so that a log that was
lost can be written anew. Rows are keyed by uuid7, whose first 48 bits are
milliseconds: a day is a range of ids. What no day takes (a clock that is a
fortnight off) goes to `outbox_rest`, so that no clock ever breaks a send.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy import exc

from chassis.database import Database

KEPT_DAYS: Final = 7
"""As long as JetStream keeps events (`max_age` of the streams)."""
_AHEAD_DAYS: Final = 8

_LOW: Final = (
    "(lpad(to_hex((extract(epoch FROM {})::bigint * 1000)), 12, '0') || repeat('0', 20))::uuid"
)
"""The lowest uuid7 of the day that begins at a timestamp (UTC)."""

COVER: Final = f"""
DO $$
DECLARE
    today date := timezone('UTC', now())::date;
    begins timestamp;
    low uuid;
    high uuid;
    part text;
BEGIN
    -- Whatever writes meanwhile waits this long at most; the next hour is another try.
    SET LOCAL lock_timeout = '200ms';
    PERFORM pg_advisory_xact_lock(hashtext('creavio outbox partitions'));
    FOR begins IN
        SELECT generate_series(
            (today - {KEPT_DAYS})::timestamp, (today + {_AHEAD_DAYS})::timestamp, interval '1 day'
        )
    LOOP
        part := 'outbox_' || to_char(begins, 'YYYYMMDD');
        low := {_LOW.format("begins")};
        high := {_LOW.format("begins + interval '1 day'")};
        CONTINUE WHEN to_regclass(part) IS NOT NULL;
        -- A day that is over gets no partition of its own but for rows there are.
        CONTINUE WHEN begins < today AND NOT EXISTS (
            SELECT FROM outbox_rest WHERE id >= low AND id < high
        );
        LOCK TABLE outbox_rest IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('CREATE TABLE %I (LIKE outbox INCLUDING DEFAULTS)', part);
        EXECUTE format(
            'WITH moved AS (DELETE FROM outbox_rest WHERE id >= %L AND id < %L RETURNING *)'
            ' INSERT INTO %I SELECT * FROM moved', low, high, part
        );
        EXECUTE format(
            'ALTER TABLE outbox ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, low, high
        );
    END LOOP;
END $$
"""  # noqa: S608  # constants of this file
"""Makes the days there are not yet; doing it again changes nothing."""

_FORGET: Final = f"""
DO $$
DECLARE
    today date := timezone('UTC', now())::date;
    part regclass;
    waiting boolean;
BEGIN
    SET LOCAL lock_timeout = '200ms';
    PERFORM pg_advisory_xact_lock(hashtext('creavio outbox partitions'));
    FOR part IN
        SELECT inhrelid::regclass FROM pg_inherits
        WHERE inhparent = 'outbox'::regclass
        AND inhrelid::regclass::text ~ '^outbox_[0-9]{{8}}$'
        AND to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < today - {KEPT_DAYS}
    LOOP
        -- First the lock: the log may be found cut, and its rows be unpublished again.
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', part);
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE position IS NULL)', part) INTO waiting;
        IF NOT waiting THEN
            EXECUTE format('DROP TABLE %s', part);
        END IF;
    END LOOP;
    DELETE FROM outbox_rest
    WHERE id < {_LOW.format(f"(today - {KEPT_DAYS})::timestamp")} AND position IS NOT NULL;
END $$
"""  # noqa: S608  # constants of this file


async def keep_window(database: Database) -> bool:
    """Make the days to come, drop those that are over; to be called every hour.

    A day that still holds an unpublished event is kept. False when a lock could not
    be had at once: nothing was changed then that was not whole, and the next call
    does it.
    """
    for work in (COVER, _FORGET):
        try:
            async with database.transaction() as transaction:
                await transaction.execute(sa.text(work))
        except exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != "55P03":  # lock_not_available
                raise
            return False
    return True
