"""Synapse, the reference server of Matrix, in one process on PostgreSQL.

Each sender puts one event after another and waits for the answer; listeners hold long polls
of `/sync`. It is licensed under the AGPL; it is run beside the platform, and nothing of it is
imported or passed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
import hashlib
import hmac
import json
from pathlib import Path
import secrets
import subprocess
import tempfile
import time
from typing import Any, Final

import httpx
import sqlalchemy as sa
import yaml

from bench.measure import Usage
from bench.peers import environment
from bench.peers.creavio import count
from bench.peers.load import ROOMS, Contender, Load
from tests.live import PASSWORD, TRUST
from tests.local.running import free_port
from tests.scratch_postgres import running_postgres

_CLIENT: Final = "/_matrix/client/v3"
_REGISTER: Final = "/_synapse/admin/v1/register"
_UNLIMITED: Final = {"per_second": 1_000_000, "burst_count": 1_000_000}
_KEPT: Final = "SELECT count(*) FROM events WHERE type = 'm.room.message'"
_FILTER: Final = json.dumps({"room": {"timeline": {"limit": 100}}})
"""As many messages a poll as it gives: of more it would leave the oldest out."""
_POLL_SECONDS: Final = 30


@contextmanager
def contenders(senders: int) -> Iterator[list[Contender]]:
    """A server with so many people in its rooms, and a reader in each."""
    with _running() as synapse:
        rooms = asyncio.run(_inhabited(synapse, senders))
        yield [Contender("synapse", partial(_crowd, synapse, rooms))]


@dataclass(frozen=True)
class _Synapse:
    url: str
    secret: str
    """Whoever knows it may make accounts."""
    database: str
    usage: Usage

    def client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=None)
        return httpx.AsyncClient(base_url=self.url, timeout=60, verify=TRUST, limits=limits)


@contextmanager
def _running() -> Iterator[_Synapse]:
    interpreter = environment.python()
    with (
        tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as name,
        running_postgres() as superuser,
    ):
        folder, port, url = Path(name), free_port(), sa.make_url(superuser)
        _create_database(superuser)
        secret = secrets.token_hex()
        _configure(interpreter, folder, port, secret, url)
        command = [
            *(interpreter, "-m", "synapse.app.homeserver"),
            *("-c", "homeserver.yaml", "-c", "bench.yaml"),
        ]
        address = f"http://127.0.0.1:{port}"
        with environment.server(command, folder, lambda: _healthy(address)) as process:
            # The first line of its file is the server's pid.
            lines = (Path(str(url.query["host"])) / "postmaster.pid").read_text().splitlines()
            usage = Usage({"synapse": process.pid, "postgres": int(lines[0])})
            database = url.set(database="synapse").render_as_string(hide_password=False)
            yield _Synapse(address, secret, database, usage)


def _create_database(superuser: str) -> None:
    engine = sa.create_engine(superuser, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        # Synapse refuses to start where text is sorted in any other way.
        connection.execute(
            sa.text(
                "CREATE DATABASE synapse TEMPLATE template0"
                " ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
            )
        )


def _configure(interpreter: str, folder: Path, port: int, secret: str, url: sa.URL) -> None:
    """Write what Synapse proposes, and over it what a measurement needs."""
    subprocess.run(  # noqa: S603  # a program that is measured
        [
            *(interpreter, "-m", "synapse.app.homeserver", "--generate-config"),
            *("-H", "localhost", "--report-stats", "no"),
            *("--data-directory", str(folder), "-c", "homeserver.yaml"),
        ],
        cwd=folder,
        capture_output=True,
        check=True,
    )
    settings = {
        "listeners": [
            {
                "type": "http",
                "port": port,
                "bind_addresses": ["127.0.0.1"],
                "tls": False,
                "resources": [{"names": ["client"]}],
            }
        ],
        "database": {
            "name": "psycopg2",
            "args": {
                "host": str(url.query["host"]),
                "user": url.username,
                "password": url.password,
                "dbname": "synapse",
                "cp_min": 5,
                "cp_max": 10,
            },
        },
        "federation_domain_whitelist": [],
        "trusted_key_servers": [],
        "registration_shared_secret": secret,
        # Signing up is not what is measured, and there are many who do.
        "bcrypt_rounds": 4,
        "rc_message": _UNLIMITED,
        "rc_registration": _UNLIMITED,
        "rc_joins": {"local": _UNLIMITED, "remote": _UNLIMITED},
        "rc_joins_per_room": _UNLIMITED,
    }
    (folder / "bench.yaml").write_text(yaml.safe_dump(settings))


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2, verify=TRUST).is_success
    except httpx.TransportError:
        return False


@dataclass(frozen=True)
class _Person:
    client: httpx.AsyncClient
    token: str

    async def ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.token}"}
        reply = await self.client.request(method, f"{_CLIENT}{path}", headers=headers, **options)
        reply.raise_for_status()
        answer: dict[str, Any] = reply.json()
        return answer


@dataclass(frozen=True)
class _Room:
    id: str
    reader: str
    """The access token of who made it."""
    senders: list[str]


async def _inhabited(synapse: _Synapse, senders: int) -> list[_Room]:
    """The rooms, with so many people in them altogether."""
    async with synapse.client() as client:
        rooms = []
        for number in range(ROOMS):
            reader = _Person(client, await _sign_up(client, synapse.secret, f"reader-{number}"))
            made = await reader.ask("POST", "/createRoom", json={"preset": "public_chat"})
            rooms.append(_Room(made["room_id"], reader.token, []))
        for number in range(senders):
            room = rooms[number % ROOMS]
            sender = _Person(client, await _sign_up(client, synapse.secret, f"sender-{number}"))
            await sender.ask("POST", f"/rooms/{room.id}/join", json={})
            room.senders.append(sender.token)
    return rooms


async def _sign_up(client: httpx.AsyncClient, secret: str, name: str) -> str:
    """Make an account, as the shared secret allows to: its access token."""
    nonce = (await client.get(_REGISTER)).raise_for_status().json()["nonce"]
    said = "\0".join((nonce, name, PASSWORD, "notadmin")).encode()
    body = {
        "nonce": nonce,
        "username": name,
        "password": PASSWORD,
        "admin": False,
        "mac": hmac.new(secret.encode(), said, hashlib.sha1).hexdigest(),
    }
    reply = await client.post(_REGISTER, json=body)
    return str(reply.raise_for_status().json()["access_token"])


class _Crowd:
    def __init__(self, synapse: _Synapse, senders: list[tuple[_Person, str]]) -> None:
        self.usage = synapse.usage
        self.heard = 0
        self._database = synapse.database
        self._senders = senders
        # Its own: a first poll is answered from a cache, and told again what others said since.
        self._text = f"hello {secrets.token_hex(4)}"

    async def send(self, seconds: float) -> list[float]:
        ends, latencies = time.perf_counter() + seconds, list[float]()

        async def speak(person: _Person, room: str) -> None:
            content = {"msgtype": "m.text", "body": self._text}
            while (started := time.perf_counter()) < ends:
                # One's transactions have names of their own: a known one is not sent again.
                path = f"/rooms/{room}/send/m.room.message/{started}"
                await person.ask("PUT", path, json=content)
                latencies.append(time.perf_counter() - started)

        await asyncio.gather(*(speak(person, room) for person, room in self._senders))
        return latencies

    def told(self) -> int:
        return self.heard

    def kept(self) -> int:
        return count(self._database, _KEPT)

    async def listen(self, person: _Person, room: str, ready: asyncio.Event) -> None:
        """Poll until cancelled."""
        query = {"filter": _FILTER, "timeout": "0"}
        query["since"] = (await person.ask("GET", "/sync", params=query))["next_batch"]
        query["timeout"] = str(_POLL_SECONDS * 1_000)
        ready.set()
        while True:
            told = await person.ask("GET", "/sync", params=query)
            query["since"] = told["next_batch"]
            here = told.get("rooms", {}).get("join", {}).get(room, {})
            events = here.get("timeline", {}).get("events", [])
            self.heard += sum(event["content"].get("body") == self._text for event in events)


@asynccontextmanager
async def _crowd(synapse: _Synapse, rooms: list[_Room], load: Load) -> AsyncIterator[_Crowd]:
    async with synapse.client() as client:
        senders = [
            (_Person(client, token), room.id)
            for room in rooms
            for token in room.senders[: load.senders // ROOMS]
        ]
        listeners = [(_Person(client, room.reader), room.id) for room in rooms]
        crowd = _Crowd(synapse, senders)
        async with asyncio.TaskGroup() as group:
            tasks = []
            for person, room in listeners + (senders if load.everybody else []):
                ready = asyncio.Event()
                tasks.append(group.create_task(crowd.listen(person, room, ready)))
                await ready.wait()
            yield crowd
            for task in tasks:
                task.cancel()
