"""A database of the release before becomes one of this release, with what it held."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from uuid import UUID

from alembic.config import Config as AlembicConfig
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
import sqlalchemy as sa

from chassis.database import Database
from chassis.migrate import migrations_of
from services.community import store
from services.community.domain import Visibility

TABLE, OWNER = UUID(int=1), UUID(int=2)
CHANNELS = [UUID(int=n) for n in (11, 12, 13)]
BEFORE = f"""
    INSERT INTO community VALUES ('{TABLE}', 'ÉCLAIR Club', '{OWNER}', now(), 'settled');
    INSERT INTO channel (id, community_id, name, create_time, private, standing)
        SELECT ('00000000-0000-0000-0000-0000000000' || n)::uuid, '{TABLE}', 'x', now(), false,
            'settled'
        FROM unnest(ARRAY['0d', '0b', '0c']) AS n;
    INSERT INTO invite VALUES ('old', '{TABLE}', '{OWNER}', now(), now() + interval '1 day');
"""  # noqa: S608  # put together from constants


def upgraded(connection: sa.Connection, revision: str) -> None:
    """Bring a database to a revision."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(migrations_of("community")))
    config.set_main_option("path_separator", "os")
    directory = ScriptDirectory.from_config(config)
    with EnvironmentContext(
        config, directory, fn=lambda current, _: directory._upgrade_revs(revision, current)
    ) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()


async def test_what_was_there_before_is_there_after(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> None:
    async with scratch("community") as database:
        async with database.transaction() as tx:
            await tx.execute(sa.text("DROP SCHEMA public CASCADE"))
            await tx.execute(sa.text("CREATE SCHEMA public"))
            await tx._connection.run_sync(upgraded, "0004")
            for statement in BEFORE.split(";")[:-1]:
                await tx.execute(sa.text(statement))
            await tx._connection.run_sync(upgraded, "head")
        async with database.transaction() as tx:
            community = await store.community(tx, TABLE)
            assert (community.visibility, community.transfers) == (Visibility.PRIVATE, 0)
            standing = await store.standing_in(tx, TABLE, None)
            assert [channel_id for channel_id, _ in standing] == CHANNELS
            assert len({position for _, position in standing}) == len(CHANNELS)
            (invite,) = await store.invites_of(tx, TABLE, None, 10, datetime.now(UTC))
            assert (invite.max_uses, invite.uses) == (0, 0)
            fold = sa.select(store.COMMUNITY.c.fold)
            assert (await tx.execute(fold)).scalar_one() == "éclair club"
