"""Restoring a backup into an empty home: whole, or not at all.

Everything is made in a folder beside the home, which becomes the home at the end.

JetStream is not in a backup. Its log is made anew at the first start; each service
notices that, begins an epoch, and writes what its outbox keeps (`chassis.epoch`),
under the same ids: what a consumer had not handled it handles then, what it had it
does not handle again.

The instance is set back to the moment of the backup, and what clients saw after it
never happened. So the key that resume tokens are signed with is not restored:
a token of before is refused (INVALID_RESUME_TOKEN), and its client begins anew,
from what there is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import shutil

from local import postgres_binaries
from local.backup import archive, dump, manifest
from local.backup.alone import postgres_alone
from local.backup.manifest import BackupError, Manifest
from local.credentials import write_secret
from local.databases import connected, database_of
from local.home import AlreadyRunningError, Home, HomeLock
from local.postgres_binaries import PostgresBinaries

_NOT_RESTORED = frozenset({"gateway.key"})
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.")

Tell = Callable[[str], None]


def restore(home: Home, path: Path, tell: Tell) -> Manifest:
    """Make a home of a backup. `tell` hears what is being done.

    The home must be empty or not there. Raises `BackupError`; the home is as it was
    then.
    """
    import psycopg

    from chassis.catalog import CatalogError

    try:
        binaries = postgres_binaries.find()
        _require_empty(home)
        with archive.opened(path) as reader:
            found = manifest.read(reader.content(manifest.MEMBER))
            _require_known(found)
            tell("checksums")
            _require_whole(reader, found)
            _restore(home, binaries, reader, found, tell)
    except (postgres_binaries.PostgresUnavailableError, CatalogError) as error:
        raise BackupError(str(error)) from error
    except psycopg.Error as error:
        raise BackupError(f"PostgreSQL: {str(error).strip()}") from error
    except OSError as error:
        raise BackupError(f"{error.filename or home.root}: {error.strerror or error}") from error
    return found


def _require_empty(home: Home) -> None:
    if home.root.exists() and (not home.root.is_dir() or any(home.root.iterdir())):
        raise BackupError(
            f"{home.root} is not empty, and a restore overwrites nothing: "
            "set CREAVIO_HOME to a new folder, or move this one away"
        )


def _require_known(found: Manifest) -> None:
    """Every database must be one that this code can go on with."""
    from chassis import catalog as catalogs
    from chassis.migrate import migrations_of, newest

    services = catalogs.load().services
    for service, member in found.databases.items():
        if service not in services or services[service].database is None:
            raise BackupError(
                f"it has a database of {service}, which this Creavio does not know: "
                "restore it with the release it was made with"
            )
        head = newest(migrations_of(service))
        if member.revision > head:
            raise BackupError(
                f"{service} in it is at migration {member.revision}, and this Creavio knows "
                f"them up to {head}: restore it with the release it was made with, or a newer one"
            )
    for name in found.secrets:
        if not name or name.startswith(".") or not _PLAIN.issuperset(name):
            raise BackupError(f"it has a secret of a strange name ({name!r})")


def _require_whole(reader: archive.Reader, found: Manifest) -> None:
    for service, database in found.databases.items():
        for _ in reader.pieces(manifest.database_member(service), database):
            pass
    for name, secret in found.secrets.items():
        reader.content(manifest.secret_member(name), secret)


def _restore(
    home: Home, binaries: PostgresBinaries, reader: archive.Reader, found: Manifest, tell: Tell
) -> None:
    draft = Home(home.root.with_name(f".{home.root.name}.new"))
    try:
        lock = HomeLock(draft)
    except AlreadyRunningError:
        raise BackupError(f"another restore into {home.root} is at work") from None
    try:
        _clear(draft)
        draft.prepare()
        for name, secret in found.secrets.items():
            if name not in _NOT_RESTORED:
                content = reader.content(manifest.secret_member(name), secret)
                write_secret(draft.secrets / name, content)
        with postgres_alone(draft, binaries):
            for service, database in found.databases.items():
                tell(service)
                pieces = reader.pieces(manifest.database_member(service), database)
                dump.restore(draft, binaries, service, pieces)
                with connected(draft, database_of(service), autocommit=True) as connection:
                    connection.execute("ANALYZE")
        shutil.rmtree(draft.run, ignore_errors=True)
        draft.lock.unlink()
        home.root.parent.mkdir(parents=True, exist_ok=True)
        # Takes the place of an empty folder, and of nothing else.
        draft.root.rename(home.root)
    finally:
        lock.release()
        shutil.rmtree(draft.root, ignore_errors=True)


def _clear(draft: Home) -> None:
    """Remove what a restore that was killed left."""
    for left in draft.root.iterdir():
        if left != draft.lock:
            shutil.rmtree(left, ignore_errors=True)
