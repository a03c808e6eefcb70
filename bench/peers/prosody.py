"""Prosody: rooms with an archive, in files as it comes, and in SQLite.

A file is written before the room hears a message, and not synced: what the machine had not
written back is lost with its power. SQLite syncs each message. Whoever is in a room hears
everything said there, the sender too, so that everybody reads in every row.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
import socket
import sqlite3
import tempfile
import time
from typing import Final

from bench.measure import Usage
from bench.peers import environment
from bench.peers.load import ROOMS, Contender, Load
from bench.peers.xmpp import Person
from tests.live import PASSWORD
from tests.local.running import free_port

_HOST: Final = "localhost"
_ROOMS_HOST: Final = f"conference.{_HOST}"
PACKAGES: Final = ("prosody", "lua-dbi-sqlite3")
"""Of Debian, what it takes."""
_STORAGE: Final = {
    "files": 'storage = "internal"',
    "sqlite": 'storage = "sql"\nsql = { driver = "SQLite3", database = "prosody.sqlite" }',
}
# Debian's modules without those that limit, encrypt, speak to other servers or administer.
_CONFIG: Final = """
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
log = {{ info = "{folder}/prosody.log" }}
{storage}
-- More than is said here: files keep 10,000 a room otherwise.
storage_archive_item_limit = 1000000000
modules_enabled = {{
    "disco", "roster", "saslauth", "blocklist", "bookmarks", "carbons", "pep", "private",
    "smacks", "vcard4", "vcard_legacy", "csi_simple", "ping", "register", "time", "uptime",
    "version", "posix",
}}
modules_disabled = {{ "s2s" }}
c2s_interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
allow_registration = true
VirtualHost "{host}"
Component "{rooms}" "muc"
    modules_enabled = {{ "muc_mam" }}
    -- Who comes first need not set the room up before others may enter.
    muc_room_locking = false
    -- The archive goes with a room that ends as its last person leaves.
    muc_room_default_persistent = true
"""


def find() -> str | None:
    """Where it is, installed where that can be done; None where it cannot."""
    return environment.debian(*PACKAGES)


@contextmanager
def contenders(program: str, senders: int) -> Iterator[list[Contender]]:
    """A server for each storage, with so many people who may enter its rooms, and readers."""
    names = [*map(_sender, range(senders)), *map(_reader, range(ROOMS))]
    with ExitStack() as running:
        found = []
        for storage in _STORAGE:
            prosody = running.enter_context(_running(program, storage))
            asyncio.run(_register(prosody, names))
            crowd = partial(_crowd, prosody)
            found.append(Contender(f"prosody, {storage}", crowd, everybody_reads=True))
        yield found


@dataclass(frozen=True)
class _Prosody:
    storage: str
    data: Path
    port: int
    usage: Usage

    def kept(self) -> int:
        """The entries of the rooms' archives."""
        if self.storage == "files":
            # Where each entry begins a line of its room's list.
            lists = self.data.glob("*/muc_log/*.list")
            return sum(file.read_bytes().count(b"\nitem(") + 1 for file in lists)
        with closing(sqlite3.connect(self.data / "prosody.sqlite")) as database:
            query = "SELECT count(*) FROM prosodyarchive WHERE store = 'muc_log'"
            return int(database.execute(query).fetchone()[0])


@contextmanager
def _running(program: str, storage: str) -> Iterator[_Prosody]:
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as name:
        folder, port = Path(name), free_port()
        data, config = folder / "data", folder / "prosody.cfg.lua"
        data.mkdir()
        config.write_text(
            _CONFIG.format(
                folder=folder, storage=_STORAGE[storage], port=port, host=_HOST, rooms=_ROOMS_HOST
            )
        )
        command = [program, "--config", str(config), "-F"]
        with environment.server(command, folder, lambda: _open(port)) as process:
            yield _Prosody(storage, data, port, Usage({"prosody": process.pid}))


def _open(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _sender(index: int) -> str:
    return f"sender-{index}"


def _reader(room: int) -> str:
    return f"reader-{room}"


async def _register(prosody: _Prosody, names: list[str]) -> None:
    for name in names:
        person = await Person.connected(prosody.port, _HOST, name)
        await person.register(PASSWORD)
        await person.close()


class _Crowd:
    def __init__(self, prosody: _Prosody, senders: list[Person], readers: list[Person]) -> None:
        self.usage = prosody.usage
        self._prosody = prosody
        self._senders = senders
        self._listeners = senders + readers

    async def send(self, seconds: float) -> list[float]:
        ends, latencies = time.perf_counter() + seconds, list[float]()

        async def speak(person: Person) -> None:
            while (started := time.perf_counter()) < ends:
                await person.say("hello")
                latencies.append(time.perf_counter() - started)

        await asyncio.gather(*map(speak, self._senders))
        return latencies

    def told(self) -> int:
        return sum(person.told for person in self._listeners)

    def kept(self) -> int:
        return self._prosody.kept()


@asynccontextmanager
async def _crowd(prosody: _Prosody, load: Load) -> AsyncIterator[_Crowd]:
    async def present(name: str, room: int) -> Person:
        person = await Person.connected(prosody.port, _HOST, name)
        await person.sign_in(PASSWORD)
        await person.join(f"room-{room}@{_ROOMS_HOST}")
        return person

    readers = [await present(_reader(room), room) for room in range(ROOMS)]
    senders = [await present(_sender(n), n % ROOMS) for n in range(load.senders)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(person.listen()) for person in senders + readers]
        yield _Crowd(prosody, senders, readers)
        for task in tasks:
            task.cancel()
    for person in senders + readers:
        await person.close()
