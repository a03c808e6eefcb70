"""The tables the chassis keeps in every service's database.

`outbox`: events that became true here, and where JetStream put them; a partition a
day (`chassis.partitions`).
`epoch`: how often the log of these events turned into another (`chassis.epoch`).
`inbox`: events of others whose effect stands here, so that none takes effect twice.
`dead_letter`: events of others that could not be handled.
`idempotency`: requests answered, so that a repeated one is answered alike.
`erasing`: people who are being forgotten (`chassis.person`).

A service's first migration calls `create`. A later change to these tables is
another function here, called by a migration of each service.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.partitions import COVER

METADATA: Final = sa.MetaData()

OUTBOX: Final = sa.Table(
    "outbox",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("position", sa.BigInteger),
    sa.Column("create_time", sa.DateTime(timezone=True), server_default=sa.func.now()),
)
"""`position` is `positions.packed`: the epoch and the number JetStream gave it there."""
EPOCH: Final = sa.Table(
    "epoch",
    METADATA,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first", sa.BigInteger, nullable=False),
    sa.Column(
        "start_time", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
    ),
    sa.Column("log", sa.Text),
    sa.Column("server", sa.Text),
)
"""`log` is when the stream was made, `server` the NATS server that last vouched for it;
both are null before an epoch was confirmed."""
INBOX: Final = sa.Table(
    "inbox",
    METADATA,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("create_time", sa.DateTime(timezone=True), server_default=sa.func.now()),
)
DEAD_LETTER: Final = sa.Table(
    "dead_letter",
    METADATA,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), server_default=sa.func.now()),
    sa.Column("headers", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("replay", sa.Boolean, nullable=False, server_default=sa.text("false")),
)
IDEMPOTENCY: Final = sa.Table(
    "idempotency",
    METADATA,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("rpc", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("reply", sa.LargeBinary),
    sa.Column("create_time", sa.DateTime(timezone=True), server_default=sa.func.now()),
)
ERASING: Final = sa.Table(
    "erasing",
    METADATA,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("due_time", sa.DateTime(timezone=True), nullable=False),
)
"""`times` is how often it was done; the row goes after the last."""

_CREATE: Final = (
    """
    CREATE TABLE outbox (
        id uuid PRIMARY KEY,
        type text NOT NULL,
        subject text NOT NULL,
        body bytea NOT NULL,
        headers jsonb NOT NULL,
        position bigint,
        create_time timestamptz DEFAULT now()
    )
    """,
    "CREATE INDEX outbox_unpublished ON outbox (id) WHERE position IS NULL",
    "CREATE INDEX outbox_position ON outbox (position)",
    """
    CREATE TABLE inbox (
        event_id text PRIMARY KEY,
        create_time timestamptz DEFAULT now()
    )
    """,
    """
    CREATE TABLE dead_letter (
        event_id text PRIMARY KEY,
        type text NOT NULL,
        subject text NOT NULL,
        body bytea NOT NULL,
        error text NOT NULL,
        create_time timestamptz DEFAULT now()
    )
    """,
    """
    CREATE TABLE idempotency (
        owner text,
        rpc text,
        key text,
        fingerprint bytea NOT NULL,
        reply bytea,
        create_time timestamptz DEFAULT now(),
        PRIMARY KEY (owner, rpc, key)
    )
    """,
)


def create(connection: sa.Connection) -> None:
    """Create the tables in a database that has none of them."""
    for statement in _CREATE:
        connection.execute(sa.text(statement))


_WINDOW_AND_EPOCH: Final = (
    "ALTER TABLE outbox RENAME TO outbox_before",
    "ALTER INDEX outbox_pkey RENAME TO outbox_before_pkey",
    "DROP INDEX outbox_unpublished",
    "DROP INDEX outbox_position",
    """
    CREATE TABLE outbox (
        id uuid PRIMARY KEY,
        type text NOT NULL,
        subject text NOT NULL,
        body bytea NOT NULL,
        headers jsonb NOT NULL,
        position bigint,
        create_time timestamptz DEFAULT now()
    ) PARTITION BY RANGE (id)
    """,
    "CREATE TABLE outbox_rest PARTITION OF outbox DEFAULT",
    "CREATE INDEX outbox_unpublished ON outbox (id) WHERE position IS NULL",
    "CREATE INDEX outbox_position ON outbox (position)",
    # By way of the rest, from where each day takes its own.
    """
    INSERT INTO outbox_rest (id, type, subject, body, headers, position, create_time)
    SELECT id, type, subject, body, headers, position, create_time FROM outbox_before
    """,
    "DROP TABLE outbox_before",
    COVER,
    "SET LOCAL lock_timeout = 0",
    """
    CREATE TABLE epoch (
        number bigint PRIMARY KEY,
        first bigint NOT NULL,
        start_time timestamptz NOT NULL DEFAULT now(),
        log text,
        server text
    )
    """,
    "INSERT INTO epoch (number, first) VALUES (0, 1)",
    "CREATE INDEX inbox_create_time ON inbox (create_time)",
    "CREATE INDEX idempotency_create_time ON idempotency (create_time)",
    """
    ALTER TABLE dead_letter
        ADD COLUMN headers jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN tries integer NOT NULL DEFAULT 0,
        ADD COLUMN replay boolean NOT NULL DEFAULT false
    """,
    "CREATE INDEX dead_letter_replay ON dead_letter (create_time) WHERE replay",
)


def add_window_and_epoch(connection: sa.Connection) -> None:
    """Partition the outbox by days, keeping its rows; add epochs, replay and indexes."""
    for statement in _WINDOW_AND_EPOCH:
        connection.execute(sa.text(statement))


_ERASING: Final = (
    """
    CREATE TABLE erasing (
        user_id uuid PRIMARY KEY,
        times integer NOT NULL,
        due_time timestamptz NOT NULL
    )
    """,
    "CREATE INDEX erasing_due ON erasing (due_time)",
)


def add_erasing(connection: sa.Connection) -> None:
    """Add what people are erased by."""
    for statement in _ERASING:
        connection.execute(sa.text(statement))
