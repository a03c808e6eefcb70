"""What stands in the way of a start, said in one line with its mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
import errno
import os
import shutil
import socket

from local import postgres_binaries
from local.home import SOCKET_PATH_LIMIT, Home, Instance
from local.parts import Options

_FREE_BYTES = 512 * 1024 * 1024
_AWKWARD = frozenset("\n\r\"'\\$#{}")


class ObstacleError(Exception):
    """A start would fail; the message says why, and what to do."""


def check(options: Options) -> None:
    """Look for everything that is known to stand in the way.

    Touches nothing. Raises `ObstacleError` for the first thing found, or
    `CatalogError`.
    """
    check_profile(options)
    check_home(options.home)
    check_paths(options)
    check_port(options.port)
    try:
        postgres_binaries.find()
    except postgres_binaries.PostgresUnavailableError as error:
        raise ObstacleError(str(error)) from error


def check_profile(options: Options) -> None:
    """Whether what was asked for goes together. Raises `ObstacleError`."""
    if not options.profile.one_process:
        return
    if options.reload:
        raise ObstacleError(
            "--reload restarts services one by one, and with --compact they are one process; "
            "leave one of the two out"
        )
    if options.replicas:
        raise ObstacleError(
            "--replicas asks for more processes, and with --compact there is one; "
            "leave one of the two out"
        )


def check_home(home: Home) -> None:
    """Whether a home can be used. Raises `ObstacleError`."""
    existing = home.root
    while not existing.exists():
        existing = existing.parent
    if home.root.exists() and home.root.stat().st_uid != os.geteuid():
        raise ObstacleError(
            f"{home.root} belongs to another user; set CREAVIO_HOME to a folder of yours"
        )
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise ObstacleError(
            f"{existing} cannot be written to; set CREAVIO_HOME to a folder of yours"
        )
    if _AWKWARD.intersection(str(home.root)):
        raise ObstacleError(
            f"CREAVIO_HOME ({home.root}) has a quote, $, # or brace in it; choose another"
        )
    free = shutil.disk_usage(existing).free
    if free < _FREE_BYTES:
        raise ObstacleError(
            f"only {free // 1024**2} MB are free for {home.root}, {_FREE_BYTES // 1024**2} are "
            "needed; make room, or set CREAVIO_HOME to another disk"
        )


def check_paths(options: Options) -> None:
    """Whether the sockets' paths are short enough. Raises `ObstacleError`, `CatalogError`."""
    longest = max(options.home.socket_paths(_instances(options)), key=lambda p: len(os.fsencode(p)))
    excess = len(os.fsencode(longest)) - (SOCKET_PATH_LIMIT - 1)
    if excess > 0:
        raise ObstacleError(
            f"CREAVIO_HOME ({options.home.root}) is {excess} characters too long for the sockets "
            "inside it; choose a shorter one"
        )


def _instances(options: Options) -> Iterator[Instance]:
    for name, entry in options.catalog().services.items():
        yield Instance(name, entry.replicas)


def check_port(port: int) -> None:
    """Whether a port can be opened. Raises `ObstacleError`."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ObstacleError(
                    f"port {port} is in use; stop what uses it, or choose another: "
                    f"CREAVIO_PORT={_free_port()} make up"
                ) from error
            if error.errno == errno.EACCES:
                raise ObstacleError(
                    f"port {port} is only for root; choose one above 1023"
                ) from error
            raise ObstacleError(f"port {port}: {error.strerror}") from error


def _free_port() -> int:
    for port in range(8081, 8181):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    return 8090
