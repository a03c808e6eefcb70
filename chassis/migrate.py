"""Bringing a service's database to the schema its code expects.

A service does this itself before it serves, under a lock, so that replicas do
not do it twice. Alembic is imported only when there is something to do: it
costs 0.4 s.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from chassis.config import Config

_LOCK = 0x63726561  # "crea"; only has to differ from other advisory locks here


def migrate(config: Config) -> None:
    """Apply every migration of the service that its database lacks.

    All of them in one transaction: a migration that dies midway leaves nothing.
    """
    assert config.database_url is not None
    engine = sa.create_engine(config.database_url.get_secret_value(), poolclass=sa.NullPool)
    scripts = migrations_of(config.service)
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        if _current(connection) != newest(scripts):
            _upgrade(connection, scripts)
    engine.dispose()


def migrations_of(service: str) -> Path:
    """The folder of a service's migrations."""
    spec = importlib.util.find_spec(f"services.{service}")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "migrations"


def newest(scripts: Path) -> str:
    """The revision of the last migration: files are named `<revision>_<what>.py`."""
    return max(path.name for path in (scripts / "versions").glob("[0-9]*.py")).partition("_")[0]


def _current(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(
        sa.text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return revision


def _upgrade(connection: Connection, scripts: Path) -> None:
    from alembic.config import Config as AlembicConfig
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = AlembicConfig()
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("path_separator", "os")
    directory = ScriptDirectory.from_config(config)

    with EnvironmentContext(
        config,
        directory,
        fn=lambda revision, _: directory._upgrade_revs("head", revision),
    ) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
