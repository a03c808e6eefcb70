"""Starts services: `python -m chassis.run --env-file FILE`, once for each."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
import importlib
import os
from pathlib import Path
import signal
import socket
import sys
import traceback

from chassis import catalog as catalogs
from chassis.config import Config, ConfigError, load
from chassis.host import FallenError, Guest, host
from chassis.migrate import migrate
from chassis.service import Chassis, Service


def build(chassis: Chassis) -> Service:
    """The service, as its own `app.py` puts it together."""
    service = importlib.import_module(f"services.{chassis.config.service}.app").app(chassis)
    assert isinstance(service, Service)
    return service


def serve(*env_files: Path) -> None:
    """Serve services, all in this process, until SIGTERM or SIGINT; then drain and return.

    Each env file describes one; without any, the environment does. Exits with one line
    on standard error when a configuration is wrong, or a service ended by itself.
    """
    configs = [_configured(env_file) for env_file in env_files or (None,)]
    catalog = catalogs.load()
    keeping = [c for c in configs if catalog.services[c.service].database is not None]
    if keeping:
        _aside(lambda: _migrate(keeping))
    try:
        asyncio.run(_serve([Chassis(config, catalog) for config in configs]))
    except FallenError as error:
        sys.exit(str(error))


def _configured(env_file: Path | None) -> Config:
    try:
        return load(env_file)
    except ConfigError as error:
        sys.exit(f"{env_file or 'environment'}: {error}")


def _migrate(configs: Sequence[Config]) -> None:
    for config in configs:
        try:
            migrate(config)
        except Exception:
            traceback.print_exc()
            sys.exit(f"{config.service}: the database could not be migrated")


def _aside(work: Callable[[], None]) -> None:
    """Do work in a process of its own, so that what it imports does not stay here.

    Exits as that process did when it failed: its log says why. There is no thread and
    no gRPC object yet, so forking is safe.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except SystemExit as failure:
            sys.stderr.write(f"{failure}\n")
        finally:
            sys.stderr.flush()
            os._exit(status)
    _, outcome = os.waitpid(child, 0)
    if outcome != 0:
        sys.exit(1)


async def _serve(services: Sequence[Chassis]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    await host(
        [
            Guest(chassis, build, partial(_tell_ready, chassis.config.ready_socket))
            for chassis in services
        ],
        stop,
    )


def _tell_ready(address: str | None) -> None:
    """Say so to whoever started us (the datagram sd_notify(3) describes)."""
    if address is None:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, suppress(OSError):
        sender.connect(address)
        sender.send(b"READY=1")


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Run a service, or several in one process.")
    parser.add_argument(
        "--env-file",
        type=Path,
        action="append",
        default=[],
        help="CREAVIO_* values of a service, once for each; else the environment",
    )
    serve(*parser.parse_args().env_file)


if __name__ == "__main__":
    main()
