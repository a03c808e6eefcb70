"""Starts services: `python -m chassis.run --env-file FILE`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from contextlib import suppress
import importlib
import os
from pathlib import Path
import signal
import socket
import sys
import traceback

from chassis import catalog as catalogs
from chassis.config import Config, ConfigError, load
from chassis.migrate import migrate
from chassis.service import Chassis, Service, run


def build(chassis: Chassis) -> Service:
    """The service, as its own `app.py` puts it together."""
    service = importlib.import_module(f"services.{chassis.config.service}.app").app(chassis)
    assert isinstance(service, Service)
    return service


def serve(env_file: Path | None = None) -> None:
    """Serve one service until SIGTERM or SIGINT, then drain and return.

    Exits with one line on standard error when the configuration is wrong.
    """
    if env_file is not None:
        # For settings that one service alone has, such as auth's of mail.
        os.environ["CREAVIO_ENV_FILE"] = str(env_file)
    try:
        config = load(env_file)
    except ConfigError as error:
        sys.exit(f"{env_file or 'environment'}: {error}")
    catalog = catalogs.load()
    if catalog.services[config.service].database is not None:
        _aside(lambda: migrate(config))
    asyncio.run(_serve(config, Chassis(config, catalog)))


def _aside(work: Callable[[], None]) -> None:
    """Do work in a process of its own, so that what it imports does not stay here.

    Exits as that process did when it failed: its log line says why. There is no
    thread and no gRPC object yet, so forking is safe.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    _, outcome = os.waitpid(child, 0)
    if outcome != 0:
        sys.exit("the database could not be migrated")


async def _serve(config: Config, chassis: Chassis) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    await run(chassis, build(chassis), stop, lambda: _tell_ready(config.ready_socket))


def _tell_ready(address: str | None) -> None:
    """Say so to whoever started us (the datagram sd_notify(3) describes)."""
    if address is None:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, suppress(OSError):
        sender.connect(address)
        sender.send(b"READY=1")


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Run one service.")
    parser.add_argument("--env-file", type=Path, help="CREAVIO_* values; else the environment")
    serve(parser.parse_args().env_file)


if __name__ == "__main__":
    main()
