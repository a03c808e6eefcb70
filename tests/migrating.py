"""A database of an older release, which becomes one of this release."""

from __future__ import annotations

from alembic.config import Config as AlembicConfig
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
import sqlalchemy as sa

from chassis.database import Database
from chassis.migrate import migrations_of


async def as_it_was(database: Database, service: str, revision: str, rows: str) -> None:
    """Make a service's database what it was at a revision, holding what SQL puts there."""
    async with database.transaction() as tx:
        await tx.execute(sa.text("DROP SCHEMA public CASCADE"))
        await tx.execute(sa.text("CREATE SCHEMA public"))
        await tx._connection.run_sync(_upgrade, service, revision)
        for statement in rows.split(";")[:-1]:
            await tx.execute(sa.text(statement.replace(":", "\\:")))


async def upgraded(database: Database, service: str) -> None:
    """Bring a service's database to this release, as the service does when it starts."""
    async with database.transaction() as tx:
        await tx._connection.run_sync(_upgrade, service, "head")


def _upgrade(connection: sa.Connection, service: str, revision: str) -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(migrations_of(service)))
    config.set_main_option("path_separator", "os")
    directory = ScriptDirectory.from_config(config)
    with EnvironmentContext(
        config, directory, fn=lambda current, _: directory._upgrade_revs(revision, current)
    ) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
