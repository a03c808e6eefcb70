"""What a database does when its server restarts, seen from a service."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.database import Database


def cut_connections(server: str, database: Database) -> int:
    """End every connection to a database behind its pool's back; how many there were.

    `server` is the URL of the server's superuser.
    """
    admin = sa.create_engine(server, poolclass=sa.NullPool)
    query = sa.text(
        "SELECT count(pg_terminate_backend(pid, 2000)) FROM pg_stat_activity WHERE datname = :name"
    )
    with admin.connect() as connection:
        return int(connection.execute(query, {"name": database._engine.url.database}).scalar_one())
