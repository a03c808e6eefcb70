"""The databases of an instance, as its operator reaches them: on their socket, as superuser.

A service's own connections are counted and belong to its processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local.credentials import Credentials
from local.home import Home
from local.postgres import DatabaseGrant

if TYPE_CHECKING:
    import psycopg

SUPERUSER = "postgres"
_CONNECT_SECONDS = 5


def kept_services() -> list[str]:
    """The services of the catalog that have a database, callees first as it lists them.

    Raises `CatalogError`.
    """
    from chassis import catalog as catalogs

    return [name for name, entry in catalogs.load().services.items() if entry.database]


def database_of(service: str) -> str:
    """The name of a service's database, and of its role."""
    return DatabaseGrant(service, 0).role


@contextmanager
def connected(
    home: Home, database: str, *, autocommit: bool = False
) -> Iterator[psycopg.Connection[Any]]:
    """A connection; committed at the end unless something was raised.

    Raises psycopg's errors when PostgreSQL is away.
    """
    import psycopg

    with psycopg.connect(
        host=str(home.postgres),
        port=5432,
        user=SUPERUSER,
        password=Credentials(home.secrets).password(SUPERUSER),
        dbname=database,
        connect_timeout=_CONNECT_SECONDS,
        autocommit=autocommit,
        application_name="creavio",
    ) as connection:
        yield connection
