"""The warm parent: imports once what every service needs, then forks them.

Started by the supervisor as `python -m local.warm CONTROL_FD SERVE [WHAT…]`, where
SERVE names the function a service is run with (`chassis.run:serve`). It never
makes a gRPC object, opens no connection and has one thread, so that what it forks
is as good as a fresh process: see docs/adr/0003-forked-services.md. With `code` it
imports the chassis and the services as well; without, a fork runs them as they
are saved at that moment. With `migrations` it imports what a first start needs.

Over the control socket it takes one JSON object a line,

    {"fork": NAME, "env_file": PATH, "log": PATH}
    {"signal": NUMBER, "pid": PID}

and tells

    {"warm": true}                       ready to fork
    {"forked": NAME, "pid": PID}
    {"exited": PID, "status": STATUS}    negative for a signal

When the control socket closes it ends, and the kernel ends its children.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
import gc
import importlib
import json
import os
from pathlib import Path
import select
import signal
import socket
import sys
import threading
import traceback
from typing import Any, NoReturn

from local.process import die_with_parent, name_process

_SHARED = (
    "argon2",
    "cachetools",
    "casbin",
    "concurrent.futures.thread",
    "google.api.annotations_pb2",
    "google.protobuf.json_format",
    "google.rpc.error_details_pb2",
    "google.rpc.status_pb2",
    "graphlib",
    "grpc",
    "grpc.aio",
    "grpc_health.v1.health",
    "grpc_health.v1.health_pb2_grpc",
    "grpc_reflection.v1alpha.reflection",
    "grpc_status.rpc_status",
    "itsdangerous.url_safe",
    "joserfc.jwk",
    "joserfc.jwt",
    "nats",
    "nats.js",
    "opentelemetry.propagate",
    "opentelemetry.sdk.resources",
    "opentelemetry.sdk.trace",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.trace.propagation.tracecontext",
    "prometheus_client",
    "protovalidate",
    "psycopg",
    "pydantic_settings",
    "sqlalchemy",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.ext.asyncio",
    "structlog",
    "typeid",
    "uuid_utils.compat",
    "yaml",
)
"""Third-party modules the services import; what is not here every service
imports on its own."""


_MIGRATIONS = ("alembic.config", "alembic.op", "alembic.runtime.environment", "alembic.script")


class NotForkableError(Exception):
    """Something in here would not survive a fork."""


class WarmParent:
    """Forks services, watches over them, reports."""

    def __init__(self, control: socket.socket, serve: str) -> None:
        self._control = control
        self._serve = serve
        self._children: set[int] = set()
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)

    def run(self) -> None:
        """Obey until the control socket closes."""
        signal.set_wakeup_fd(self._waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._tell(warm=True)
        lines = _Lines(self._control)
        while True:
            readable, _, _ = select.select([self._control, self._woken], [], [])
            if self._woken in readable:
                self._woken.recv(4096)
                self._reap()
            if self._control in readable:
                for line in lines.received():
                    self._obey(json.loads(line))
                if lines.closed:
                    return

    def _obey(self, command: dict[str, Any]) -> None:
        if "fork" in command:
            pid = self._fork(command["fork"], Path(command["env_file"]), Path(command["log"]))
            self._children.add(pid)
            self._tell(forked=command["fork"], pid=pid)
        elif command["pid"] in self._children:
            os.kill(command["pid"], command["signal"])

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._children.discard(pid)
            self._tell(exited=pid, status=os.waitstatus_to_exitcode(status))

    def _fork(self, name: str, env_file: Path, log: Path) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        status = 1
        try:
            self._become(name, log, parent)
            run_services(self._serve, env_file)
            status = 0
        except SystemExit as exit_request:
            status = exit_request.code if isinstance(exit_request.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            _leave(status)

    def _become(self, name: str, log: Path, parent: int) -> None:
        """Make the forked copy a process of its own."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        die_with_parent(signal.SIGKILL, parent)
        os.setsid()
        name_process(f"creavio-{name}")
        for own in (self._control, self._woken, self._waker):
            own.close()
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        gc.enable()

    def _tell(self, **report: object) -> None:
        self._control.sendall(json.dumps(report).encode() + b"\n")


class _Lines:
    """Whole lines out of a stream socket."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._rest = b""
        self.closed = False

    def received(self) -> Iterator[bytes]:
        """What one read completed."""
        chunk = self._stream.recv(65536)
        self.closed = not chunk
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        yield from lines


def run_services(serve: str, *env_files: Path) -> None:
    """Run the services that env files describe in this process, until it is told to end."""
    module, _, function = serve.partition(":")
    getattr(importlib.import_module(module), function)(*env_files)


def warm_up(what: Collection[str] = ()) -> None:
    """Import what the services share, and set it aside from the collector.

    `what` names what belongs to it besides: `code`, `migrations`.

    Raises `NotForkableError` when an import left a thread behind.
    """
    gc.disable()
    for name in (*_SHARED, *_generated()):
        importlib.import_module(name)
    if "migrations" in what:
        for name in _MIGRATIONS:
            importlib.import_module(name)
    if "code" in what:
        _import_code()
    gc.collect()
    gc.freeze()
    tasks = Path("/proc/self/task")
    count = len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()
    if count != 1:
        raise NotForkableError(f"{count} threads after the imports, 1 expected")


def _generated() -> Iterator[str]:
    package = importlib.import_module("creavio")
    for folder in package.__path__:
        root = Path(folder)
        for file in sorted(root.rglob("*_pb2*.py")):
            yield ".".join(("creavio", *file.relative_to(root).with_suffix("").parts))


def _import_code() -> None:
    from chassis import catalog, contract
    import chassis.run  # noqa: F401  # imported for those who are forked

    known = catalog.load()
    contract.load(known)
    for name in known.services:
        # What does not import fails, and is told, in the service's own fork.
        with suppress(Exception):
            importlib.import_module(f"services.{name}.app")


def _leave(status: int) -> NoReturn:
    # The interpreter's own end would run the parent's exit handlers as well.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # the disk is full
            stream.flush()
    os._exit(status)


def main(control_fd: str, serve: str, *what: str) -> None:
    """Warm up and obey."""
    name_process("creavio-warm")
    control = socket.socket(fileno=int(control_fd))
    warm_up(what)
    WarmParent(control, serve).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
