"""Making a backup: databases at one moment, and the secrets, in one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import postgres_binaries
from local.backup import archive, dump, manifest
from local.backup.alone import postgres_alone
from local.backup.cut import cut
from local.backup.manifest import BackupError, DatabaseMember, Manifest
from local.databases import connected, kept_services
from local.home import AlreadyRunningError, Home, HomeLock, running_pid
from local.postgres_binaries import PostgresBinaries

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """What was made."""

    manifest: Manifest
    held_seconds: float
    """How long writers were held up."""


def make(home: Home, path: Path, tell: Tell) -> Made:
    """Back a home up into a new file, while the platform runs, or while it does not.

    What was acknowledged before this was called is in it. `tell` hears what is being
    done. Raises `BackupError`, and leaves no file then.
    """
    import psycopg

    from chassis.catalog import CatalogError

    if not (home.postgres / "PG_VERSION").exists():
        raise BackupError(f"there is nothing to back up in {home.root}")
    try:
        binaries = postgres_binaries.find()
        with archive.created(path) as writer, _postgres(home, binaries):
            return _write(home, binaries, writer, tell)
    except postgres_binaries.PostgresUnavailableError as error:
        raise BackupError(str(error)) from error
    except CatalogError as error:
        raise BackupError(str(error)) from error
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or ["it does not answer"])[0]
        raise BackupError(f"PostgreSQL: {reason}: creavio doctor") from error


@contextmanager
def _postgres(home: Home, binaries: PostgresBinaries) -> Iterator[None]:
    """PostgreSQL: the platform's, or one of its own when nothing runs."""
    if running_pid(home) is not None:
        yield
        return
    try:
        lock = HomeLock(home)
    except AlreadyRunningError:
        yield  # It was started this moment.
        return
    try:
        home.prepare()
        with postgres_alone(home, binaries):
            yield
    finally:
        lock.release()


def _write(home: Home, binaries: PostgresBinaries, writer: archive.Writer, tell: Tell) -> Made:
    databases: dict[str, DatabaseMember] = {}
    with cut(home, kept_services()) as moment:
        for service, snapshot in moment.snapshots.items():
            tell(service)
            with writer.member(manifest.database_member(service)) as write:
                dump.dump(home, binaries, service, snapshot, write)
            databases[service] = DatabaseMember(
                **writer.last.model_dump(), revision=moment.revisions[service]
            )
    tell("secrets")
    secrets = {
        secret.name: writer.add(manifest.secret_member(secret.name), secret.read_bytes())
        for secret in sorted(home.secrets.iterdir())
        if secret.is_file() and not secret.name.startswith(".")
    }
    made = Manifest(
        format=manifest.FORMAT,
        made=moment.made,
        postgres=_version(home),
        databases=databases,
        secrets=secrets,
    )
    writer.add(manifest.MEMBER, made.model_dump_json(indent=2).encode())
    return Made(made, moment.held_seconds)


def _version(home: Home) -> str:
    with connected(home, "postgres") as connection:
        ((version,),) = connection.execute("SHOW server_version").fetchall()
    return str(version)
