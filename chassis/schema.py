"""The tables the chassis keeps in every service's database.

`outbox`: events that became true here, and where JetStream put them.
`inbox`: events of others whose effect stands here, so that none takes effect twice.
`dead_letter`: events of others that could not be handled.
`idempotency`: requests answered, so that a repeated one is answered alike.

A service's first migration calls `create`. A later change to these tables is
another function here, called by a migration of each service.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

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
