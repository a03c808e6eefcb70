"""NATS with JetStream from its wheel, on a loopback port of its own."""

from __future__ import annotations

import asyncio
from contextlib import closing
import json
from pathlib import Path
import shutil
import signal
import socket
import sys
import traceback

from local.bus import ADMIN, SYSTEM, BusPlan, User
from local.credentials import Credentials, write_secret
from local.home import Home
from local.keeper import StartError
from local.process import ChildProcess, Process, clean_environment, end, until

_WATCH_SECONDS = 2.0
_RETRY_SECONDS = 0.3
_GARBAGE_PERCENT = 50
"""What may be garbage, of what is alive: each stream that is written to holds a buffer of up to
8 MiB, and Go lets as much again become garbage. Half of that costs no processor that one sees."""
_ROOM_BYTES = 16 * 1024 * 1024
"""With less, the disk would be full again before a word was said."""


class NatsPart:
    """The NATS server, as a part the supervisor keeps running.

    Its port is chosen once, so that clients find it again after a restart.
    """

    name = "nats"
    patience = 15.0

    def __init__(self, home: Home, credentials: Credentials) -> None:
        self._home = home
        self._credentials = credentials
        self._port = _free_port()
        self._plan = BusPlan((), (), ())
        self._provisioned = False
        self._watch: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._takes_events = True

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self._port}"

    @property
    def log(self) -> Path:
        """Where the server writes."""
        return self._home.log(self.name)

    def configure(self, plan: BusPlan) -> None:
        """Write the server's configuration; a running server takes it on SIGHUP."""
        self._plan = plan
        system = {"user": SYSTEM, "password": self._credentials.password(f"nats_{SYSTEM}")}
        users = ",\n".join(self._user(user) for user in plan.users)
        text = f"""\
server_name: creavio
host: 127.0.0.1
port: {self._port}
max_payload: 4MB
jetstream {{ store_dir: {json.dumps(str(self._home.nats))}, max_file_store: 10GB }}
accounts {{ $SYS: {{ users: [{json.dumps(system)}] }} }}
authorization {{
  timeout: 5
  users: [
{users}
  ]
}}
"""
        write_secret(self._config, text.encode())

    def _user(self, user: User) -> str:
        return json.dumps(
            {
                "user": user.name,
                "password": self._credentials.password(f"nats_{user.name}"),
                "permissions": {
                    "publish": {"allow": user.publish},
                    "subscribe": {"allow": user.subscribe},
                },
            }
        )

    async def spawn(self) -> Process:
        """Start the server."""
        binary = Path(sys.executable).with_name("nats-server")
        if not binary.exists():
            raise StartError(f"{binary} is missing: remove .venv and run make up again")
        self._takes_events = True
        self._process = ChildProcess.start(
            [str(binary), "--config", str(self._config)],
            log=self.log,
            env=clean_environment() | {"GOMAXPROCS": "2", "GOGC": str(_GARBAGE_PERCENT)},
        )
        return self._process

    async def ready(self, process: Process) -> None:
        """Return once the server greets."""
        await until(self.answers)
        if self._provisioned:
            self._look_after_streams()

    async def stop(self, process: Process) -> None:
        """Let it flush its store and end."""
        await self.leave_alone()
        await end(process, signal.SIGTERM, 10)

    async def answers(self) -> bool:
        """Whether the server greets a connection, and its streams take events."""
        if not self._takes_events:
            return False
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        try:
            return (await asyncio.wait_for(reader.readline(), 2)).startswith(b"INFO ")
        except (OSError, TimeoutError, ValueError):
            return False
        finally:
            writer.close()

    async def provision(self) -> None:
        """Make every stream and durable of the plan; doing it again changes nothing.

        Raises `StartError` when the server does not take them.
        """
        # Imported while the server starts.
        from local import streams

        await streams.provision(self.url, self._password, self._plan)
        self._provisioned = True
        self._look_after_streams()

    async def leave_alone(self) -> None:
        """Look after the streams no more, until the server is started again."""
        watch, self._watch = self._watch, None
        while watch is not None and not watch.done():
            watch.cancel()  # nats swallows it while it connects
            await asyncio.wait((watch,), timeout=0.5)

    def _look_after_streams(self) -> None:
        if self._watch is None:
            self._watch = asyncio.create_task(self._keep_streams(), name="streams")

    async def _keep_streams(self) -> None:
        from nats.errors import Error as NatsError

        from local import streams

        while True:
            try:
                async with (
                    streams.connected(self.url, self._password) as client,
                    streams.connected(self.url, self._system_password, SYSTEM) as system,
                ):
                    while True:
                        self._judge(await streams.write_error(system))
                        await streams.keep(client, self._plan)
                        await asyncio.sleep(_WATCH_SECONDS)
            except (NatsError, OSError):
                pass  # It is away, and whether it comes back is the keeper's to see to.
            except Exception:
                traceback.print_exc()
            await asyncio.sleep(_RETRY_SECONDS)

    def _judge(self, write_error: str) -> None:
        """Have a server that takes no events any more started anew, once there is room.

        Until then it stays: what is only announced, and who may do what, still arrives.
        """
        self._takes_events = not write_error
        room = shutil.disk_usage(self._home.nats).free
        if write_error and room > _ROOM_BYTES and self._process is not None:
            self._process.signal(signal.SIGTERM)

    @property
    def _system_password(self) -> str:
        return self._credentials.password(f"nats_{SYSTEM}")

    @property
    def _password(self) -> str:
        return self._credentials.password(f"nats_{ADMIN}")

    @property
    def _config(self) -> Path:
        return self._home.nats / "nats.conf"


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
