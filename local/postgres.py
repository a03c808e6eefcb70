"""PostgreSQL from its wheel: on a Unix socket, with passwords, nothing shared.

Each service that keeps something gets a role and a database of its own; nobody
else may connect to it. How many connections there may be follows from the
catalog. See docs/adr/0004-postgres-from-the-wheel.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
import hashlib
import os
from pathlib import Path
import shutil
import signal
import struct
import tempfile
import time
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

from local.credentials import Credentials
from local.home import Home
from local.keeper import StartError
from local.postgres_binaries import PostgresBinaries
from local.process import LINUX, ChildProcess, Process, clean_environment, describe_exit, end, until

_SUPERUSER = "postgres"
_SPARE_CONNECTIONS = 8
"""For the supervisor, backups and an operator's psql."""
_PER_DATABASE = 1
"""A backup has one open to each database at once."""
_EXTRA_PER_PROCESS = 2
"""Beyond the pool: a migration's, and one that a crash left half closed."""
_HELLO = b"user\0postgres\0database\0postgres\0\0"
_PROTOCOL_3 = 196608
_STATUS_LINE = 8
"""Of postmaster.pid (PostgreSQL's `miscadmin.h`, LOCK_FILE_LINE_PM_STATUS)."""

# After a crash every file is synced before recovery: all at once where the kernel can.
_SYNC_METHOD = "syncfs" if LINUX else "fsync"
_SETTINGS = {
    "recovery_init_sync_method": _SYNC_METHOD,
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "password_encryption": "scram-sha-256",
    # One small machine: what is left out here is memory for the services.
    "shared_buffers": "32MB",
    "max_wal_size": "512MB",
    "max_worker_processes": "2",
    "max_parallel_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "1",
    "io_method": "sync",
    "jit": "off",
    "huge_pages": "off",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class DatabaseGrant:
    """What one service gets: a database, and this many connections a process."""

    service: str
    connections: int
    processes: int = 1

    @property
    def limit(self) -> int:
        """How many connections its role may hold."""
        return (self.connections + _EXTRA_PER_PROCESS) * self.processes

    @property
    def role(self) -> str:
        """The name of its role and of its database."""
        return f"creavio_{self.service}"


class PostgresPart:
    """The PostgreSQL server, as a part the supervisor keeps running."""

    name = "postgres"
    patience = 60.0

    def __init__(
        self,
        home: Home,
        credentials: Credentials,
        binaries: PostgresBinaries,
        budget: int,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._home = home
        self._credentials = credentials
        self._binaries = binaries
        self._budget = budget
        self._settings = _SETTINGS | dict(settings)

    @property
    def log(self) -> Path:
        """Where the server writes."""
        return self._home.log(self.name)

    async def spawn(self) -> Process:
        """Start the server, making its data folder at the very first time."""
        data = self._home.postgres
        if not (data / "PG_VERSION").exists():
            await self._initialise()
        await self._outlive_predecessor()
        settings = self._settings | {
            "max_connections": str(self._budget + _SPARE_CONNECTIONS),
            "cluster_name": _cluster_name(data),
        }
        argv = [str(self._binaries.postgres), "-D", self._data_argument(data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        # SIGQUIT is PostgreSQL's immediate shutdown: its children end with it,
        # and the next start recovers from the write-ahead log.
        return self._start(argv, data, signal.SIGQUIT)

    async def ready(self, process: Process) -> None:
        """Return once the server accepts connections.

        It writes so into its pid file; asking it would cost a process and, until
        it is ready, a log line each time.
        """
        await until(partial(self._says_ready, process.pid))

    async def stop(self, process: Process) -> None:
        """A fast shutdown: clients are disconnected, everything is flushed."""
        await end(process, signal.SIGINT, 20)

    async def _says_ready(self, pid: int) -> bool:
        try:
            lines = (self._home.postgres / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= _STATUS_LINE and (
            lines[0] == str(pid) and lines[_STATUS_LINE - 1].strip() == "ready"
        )

    def needs_restart_for(self, budget: int) -> bool:
        """Take a new budget; whether the running server is too small for it."""
        grown = budget > self._budget
        self._budget = max(budget, self._budget)
        return grown

    async def _initialise(self) -> None:
        draft = self._home.root / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._binaries.user:
            os.chown(draft, *self._binaries.user)
        with _PasswordFile(self._credentials.password(_SUPERUSER), self._binaries.user) as password:
            process = self._start(
                [
                    str(self._binaries.initdb),
                    *("-D", self._data_argument(draft)),
                    *("-U", _SUPERUSER),
                    *("-E", "UTF8"),
                    "--locale=C.UTF-8",
                    "--auth=scram-sha-256",
                    f"--pwfile={password.path}",
                    "--no-instructions",
                ],
                draft,
                signal.SIGKILL,
                password.pass_fds,
            )
            try:
                status = await process.wait()
            except asyncio.CancelledError:
                await end(process, signal.SIGKILL, 5)
                raise
        if status != 0:
            raise StartError(f"initdb {describe_exit(status)}")
        # Whole or not at all: an initdb that was cut off leaves no data folder.
        draft.replace(self._home.postgres)

    async def _outlive_predecessor(self) -> None:
        """Wait for a server that a killed supervisor left to finish, then clear
        its lock files: their pids may belong to somebody else by now."""
        data = self._home.postgres
        pid_file = data / "postmaster.pid"
        with suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
            deadline = time.monotonic() + 15
            while _is_our_server(pid, data):
                if time.monotonic() > deadline:
                    raise StartError(f"the previous server (pid {pid}) does not end")
                await asyncio.sleep(0.05)
        for leftover in ("postmaster.pid", ".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (data / leftover).unlink(missing_ok=True)

    def _start(
        self,
        argv: Sequence[str],
        data: Path,
        on_parent_death: signal.Signals,
        pass_fds: Sequence[int] = (),
    ) -> ChildProcess:
        return ChildProcess.start(
            argv,
            log=self.log,
            env=clean_environment() | {"LC_ALL": "C.UTF-8"},
            cwd=data,
            user=self._binaries.user,
            on_parent_death=on_parent_death,
            pass_fds=pass_fds,
        )

    def _data_argument(self, data: Path) -> str:
        # The server's user may be unable to reach its data by path (below
        # /root); its working directory it can always reach.
        return "/proc/self/cwd" if self._binaries.user else str(data)


class _PasswordFile:
    """A password in a file that initdb's user can read, and nobody else."""

    def __init__(self, password: str, user: tuple[int, int] | None) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by __exit__
        self._file.write(password.encode())
        self._file.flush()
        self._file.seek(0)
        if user:
            os.fchown(self._file.fileno(), *user)
        self.path = f"/dev/fd/{self._file.fileno()}"
        self.pass_fds = (self._file.fileno(),)

    def __enter__(self) -> _PasswordFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _cluster_name(data: Path) -> str:
    """Marks the server's command line, to tell it from any other process."""
    return f"creavio-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"


def _is_our_server(pid: int, data: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return f"cluster_name={_cluster_name(data)}".encode() in command


async def answers(home: Home) -> bool:
    """Whether the server takes connections: it asks one for its password."""
    try:
        reader, writer = await asyncio.open_unix_connection(home.postgres / ".s.PGSQL.5432")
    except OSError:
        return False
    try:
        writer.write(struct.pack("!ii", 8 + len(_HELLO), _PROTOCOL_3) + _HELLO)
        return await asyncio.wait_for(reader.read(1), 2) == b"R"
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()


def connection_budget(grants: Iterable[DatabaseGrant]) -> int:
    """How many connections the services may hold together, and a backup of them."""
    return sum(grant.limit + _PER_DATABASE for grant in grants)


def database_url(home: Home, credentials: Credentials, service: str) -> str:
    """SQLAlchemy's URL of a service's own database."""
    role = DatabaseGrant(service, 0).role
    password = credentials.password(role)
    return f"postgresql+psycopg://{role}:{password}@/{role}?host={quote(str(home.postgres))}"


async def provision(home: Home, credentials: Credentials, grants: Sequence[DatabaseGrant]) -> None:
    """Give every service its role and database; doing it again changes nothing.

    Raises `StartError`.
    """
    # Imported while the server starts.
    import psycopg

    try:
        await _provision(home, credentials, grants)
    except psycopg.Error as error:
        raise StartError(f"databases: {error}") from error


async def _provision(home: Home, credentials: Credentials, grants: Sequence[DatabaseGrant]) -> None:
    import psycopg
    from psycopg import sql

    async with await psycopg.AsyncConnection.connect(
        host=str(home.postgres),
        port=5432,
        user=_SUPERUSER,
        password=credentials.password(_SUPERUSER),
        dbname="postgres",
        autocommit=True,
    ) as connection:
        roles = await _names(connection, sql.SQL("SELECT rolname FROM pg_roles"))
        databases = await _names(connection, sql.SQL("SELECT datname FROM pg_database"))
        for database in ("postgres", "template1"):
            await connection.execute(
                sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(
                    sql.Identifier(database)
                )
            )
        for grant in grants:
            name = sql.Identifier(grant.role)
            verb = sql.SQL("ALTER" if grant.role in roles else "CREATE")
            await connection.execute(
                sql.SQL("{} ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {}").format(
                    verb,
                    name,
                    sql.Literal(grant.limit),
                    sql.Literal(credentials.password(grant.role)),
                )
            )
            if grant.role not in databases:
                await connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
            await connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))


async def _names(
    connection: psycopg.AsyncConnection[tuple[object, ...]], query: sql.SQL
) -> frozenset[str]:
    cursor = await connection.execute(query)
    return frozenset(str(row[0]) for row in await cursor.fetchall())
