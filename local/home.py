"""Where everything of one instance lives: `CREAVIO_HOME`.

One folder that only its owner can enter holds data, secrets, logs and sockets;
it can be copied and deleted as a whole. A lock on it makes sure that one
supervisor at a time uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import fcntl
import os
from pathlib import Path
import shutil

SOCKET_PATH_LIMIT = 104
"""The longest Unix socket path every supported system takes (macOS: 104 with
the closing NUL, Linux: 108)."""


class AlreadyRunningError(Exception):
    """Another supervisor uses this home; `pid` says which."""

    def __init__(self, root: Path, pid: int) -> None:
        super().__init__(f"already running on {root} (pid {pid})")
        self.pid = pid


@dataclass(frozen=True, slots=True)
class Instance:
    """One process of a service. The first has no number in its name."""

    service: str
    number: int = 1

    @property
    def name(self) -> str:
        """`chat`, `chat-2`, `chat-3` …"""
        return f"{self.service}{self.suffix}"

    @property
    def suffix(self) -> str:
        """What tells this instance's files from its siblings'."""
        return "" if self.number == 1 else f"-{self.number}"


@dataclass(frozen=True, slots=True)
class Home:
    """The layout of an instance's folder."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """`CREAVIO_HOME`, or `~/.creavio`."""
        given = os.environ.get("CREAVIO_HOME")
        return cls(Path(given).expanduser().absolute() if given else Path.home() / ".creavio")

    @property
    def lock(self) -> Path:
        """Locked while a supervisor runs; holds its pid."""
        return self.root / "lock"

    @property
    def secrets(self) -> Path:
        """What was generated at first start and must stay secret."""
        return self.root / "secrets"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data, and its socket."""
        return self.root / "postgres"

    @property
    def nats(self) -> Path:
        """NATS' configuration and JetStream's store."""
        return self.root / "nats"

    @property
    def envoy(self) -> Path:
        """Envoy's rendered configuration."""
        return self.root / "envoy"

    @property
    def logs(self) -> Path:
        """One log per part."""
        return self.root / "logs"

    @property
    def mail(self) -> Path:
        """Mail that no server was there for."""
        return self.root / "mail"

    @property
    def erased(self) -> Path:
        """Who was erased; beside the folder, so that it outlives it and a restore into it."""
        return self.root.with_name(f"{self.root.name}.erased")

    @property
    def run(self) -> Path:
        """Sockets and files of the running instance; emptied at every start."""
        return self.root / "run"

    @property
    def envoy_admin(self) -> Path:
        """Envoy's admin interface."""
        return self.run / "envoy-admin.sock"

    @property
    def keys(self) -> Path:
        """Where Envoy serves itself the keys that tokens are verified with."""
        return self.run / "keys.sock"

    @property
    def health(self) -> Path:
        """Answers `GET /healthz`."""
        return self.run / "health.sock"

    @property
    def control(self) -> Path:
        """Takes the commands of `creavio status` and `creavio reload`."""
        return self.run / "control.sock"

    def log(self, name: str) -> Path:
        """The log of a part."""
        return self.logs / f"{name}.log"

    def service(self, service: str) -> Path:
        """The folder of a running service's sockets."""
        return self.run / service

    def listen(self, instance: Instance) -> Path:
        """Where an instance serves."""
        return self.service(instance.service) / f"in{instance.suffix}.sock"

    def egress(self, service: str) -> Path:
        """Where the mesh listens for a service's calls to others."""
        return self.service(service) / "out.sock"

    def ready(self, instance: Instance) -> Path:
        """The datagram socket an instance tells that it answers."""
        return self.service(instance.service) / f"ready{instance.suffix}.sock"

    def env_file(self, instance: Instance) -> Path:
        """The configuration an instance starts with."""
        return self.service(instance.service) / f"service{instance.suffix}.env"

    def socket_paths(self, instances: Iterator[Instance]) -> Iterator[Path]:
        """Every socket there will be, to check their lengths before any is made."""
        yield from (self.health, self.control, self.envoy_admin, self.keys)
        yield self.postgres / ".s.PGSQL.5432"
        for instance in instances:
            yield from (self.listen(instance), self.ready(instance), self.egress(instance.service))

    def prepare(self) -> None:
        """Make the folders; empty what belonged to an earlier run.

        To be called with the lock held. Folders are only for their owner.
        """
        shutil.rmtree(self.run, ignore_errors=True)
        for folder in (self.secrets, self.nats, self.envoy, self.logs, self.run):
            folder.mkdir(mode=0o700, exist_ok=True)


class HomeLock:
    """Holds the lock of a home until `release` or the end of the process.

    Raises `AlreadyRunningError` when another process holds it; nothing of the home has
    been touched then.
    """

    def __init__(self, home: Home) -> None:
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(home.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _read_pid(self._fd)
            os.close(self._fd)
            raise AlreadyRunningError(home.root, pid) from None
        home.root.chmod(0o700)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let the next one in."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


def running_pid(home: Home) -> int | None:
    """The pid of the supervisor that runs on a home, if one does."""
    try:
        fd = os.open(home.lock, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_pid(fd) or None
    else:
        return None
    finally:
        os.close(fd)


def _read_pid(fd: int) -> int:
    text = os.pread(fd, 32, 0).decode(errors="replace").strip()
    return int(text) if text.isdigit() else 0
