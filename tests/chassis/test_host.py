"""Several services in one process: each by itself, and one end for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import grpc
import prometheus_client
import pytest

from chassis import catalog as catalogs
from chassis.calls import CURRENT
from chassis.catalog import Catalog
from chassis.config import ConfigError, load
from chassis.host import FallenError, Guest, host
from chassis.service import Chassis, Service, Work
from chassis.sessions import Sessions
from chassis.testing import Caller
from creavio.community.v1 import community_pb2, community_service_pb2
from creavio.community.v1.community_service_pb2_grpc import (
    CommunityServiceServicer,
    CommunityServiceStub,
    add_CommunityServiceServicer_to_server,
)
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import (
    UserServiceServicer,
    UserServiceStub,
    add_UserServiceServicer_to_server,
)
from services.auth.engine import settings
from tests.chassis.serving import Keys, Revocations
from tests.chassis.test_config import GOOD
from tests.scratch_nats import ScratchNats

READS = "/creavio.user.v1.UserService/GetMe"
LISTS = "/creavio.community.v1.CommunityService/ListCommunities"


def _catalog() -> Catalog:
    """The catalog, of services that keep nothing and follow nobody."""
    bare = {"database": None, "consumes": ()}
    known = catalogs.load().services
    return Catalog({name: entry.model_copy(update=bare) for name, entry in known.items()})


@dataclass
class Meeting:
    """Two calls of different services, each of which waits for the other."""

    both: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(2))
    seen: dict[str, str] = field(default_factory=dict)

    async def meet(self, service: str) -> None:
        await self.both.wait()
        call = CURRENT.get()
        assert call is not None
        self.seen[service] = call.rpc.path
        await self.both.wait()


class Users(UserServiceServicer):
    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work

    async def GetMe(self, request: object, context: object) -> user_pb2.User:
        await self._work()
        return user_pb2.User(bio="of user")


class Communities(CommunityServiceServicer):
    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work

    async def ListCommunities(
        self, request: object, context: object
    ) -> community_service_pb2.ListCommunitiesResponse:
        await self._work()
        return community_service_pb2.ListCommunitiesResponse(
            communities=[community_pb2.Community(name="of community")]
        )


@dataclass
class House:
    """user and community in this process, with people who call them."""

    nats: ScratchNats
    folder: Path
    keys: Keys = field(default_factory=Keys)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    chassis: dict[str, Chassis] = field(default_factory=dict)
    ready: dict[str, asyncio.Event] = field(default_factory=dict)

    def guest(
        self,
        name: str,
        handler: tuple[Callable[[Any, grpc.aio.Server], None], object],
        *background: Work,
    ) -> Guest:
        config = self.nats.config(name).model_copy(
            update={
                "listen": f"unix:{self.folder / name}.sock",
                "log_file": self.folder / f"{name}.log",
                "log_level": "debug",
            }
        )
        chassis = self.chassis[name] = Chassis(config, _catalog())
        ready = self.ready[name] = asyncio.Event()

        def build(chassis: Chassis) -> Service:
            return Service(
                authorizer=chassis.authorizer(),
                handlers=[handler],
                background=background,
                fetch_keys=self.keys.fetch,
                sessions=Sessions(Revocations(), chassis.telemetry),
            )

        return Guest(chassis, build, ready.set)

    @asynccontextmanager
    async def person(self, name: str) -> AsyncIterator[Caller]:
        async with grpc.aio.insecure_channel(self.chassis[name].config.listen) as channel:
            yield Caller(channel, self.keys.token())

    def log(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(s) for s in (self.folder / f"{name}.log").read_text().splitlines()]


@pytest.fixture
def house(nats_server: ScratchNats, tmp_path: Path) -> House:
    return House(nats_server, tmp_path)


async def at_once() -> None:
    """No work."""


async def for_ever() -> None:
    await asyncio.Event().wait()


def people(house: House, work: Callable[[], Awaitable[None]] = at_once, *beside: Work) -> Guest:
    return house.guest("user", (add_UserServiceServicer_to_server, Users(work)), *beside)  # type: ignore[abstract]


def places(house: House, work: Callable[[], Awaitable[None]] = at_once, *beside: Work) -> Guest:
    handler = (add_CommunityServiceServicer_to_server, Communities(work))  # type: ignore[abstract]
    return house.guest("community", handler, *beside)


async def get_me(house: House) -> user_pb2.User:
    async with house.person("user") as caller:
        return await caller.call(
            UserServiceStub(caller.channel).GetMe, user_service_pb2.GetMeRequest()
        )


async def list_communities(house: House) -> community_service_pb2.ListCommunitiesResponse:
    async with house.person("community") as caller:
        return await caller.call(
            CommunityServiceStub(caller.channel).ListCommunities,
            community_service_pb2.ListCommunitiesRequest(),
        )


async def everybody_answers(house: House) -> None:
    await asyncio.wait_for(asyncio.gather(*(r.wait() for r in house.ready.values())), 20)


async def nobody_listens(house: House) -> None:
    for chassis in house.chassis.values():
        with pytest.raises(OSError, match=r"refused|No such file"):
            await asyncio.open_unix_connection(chassis.config.listen.removeprefix("unix:"))


async def test_each_answers_for_itself_and_nothing_of_one_shows_in_another(house: House) -> None:
    meeting = Meeting()
    guests = [
        people(house, lambda: meeting.meet("user")),
        places(house, lambda: meeting.meet("community")),
    ]
    hosting = asyncio.create_task(host(guests, house.stop))
    await everybody_answers(house)
    me, found = await asyncio.gather(get_me(house), list_communities(house))
    assert (me.bio, found.communities[0].name) == ("of user", "of community")
    assert meeting.seen == {"user": READS, "community": LISTS}, "the call in progress is its own"
    counted = {
        name: {
            sample.labels["method"]
            for metric in chassis.telemetry.registry.collect()
            for sample in metric.samples
            if sample.name == "grpc_server_handled_total"
        }
        for name, chassis in house.chassis.items()
    }
    assert counted == {"user": {READS}, "community": {LISTS}}
    assert not [m for m in prometheus_client.REGISTRY.collect() if m.name.startswith("grpc")]
    house.stop.set()
    await hosting
    for name, path in meeting.seen.items():
        lines = house.log(name)
        assert {line["service.name"] for line in lines} == {name}
        assert {line["rpc"] for line in lines if "rpc" in line} == {path}


async def test_what_is_under_way_is_finished_when_all_are_told_to_stop(house: House) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        begun.set()
        await go_on.wait()

    hosting = asyncio.create_task(host([people(house, slowly), places(house)], house.stop))
    await everybody_answers(house)
    asking = asyncio.create_task(get_me(house))
    await begun.wait()
    house.stop.set()
    await asyncio.sleep(0)
    assert not hosting.done()
    go_on.set()
    assert (await asking).bio == "of user"
    await hosting


async def test_one_that_cannot_be_built_is_named_and_ends_the_others(house: House) -> None:
    def broken(chassis: Chassis) -> Service:
        raise ConfigError("CREAVIO_SIGNING_KEY_FILE: needed")

    healthy, other = people(house), places(house)
    with pytest.raises(FallenError, match=r"^community ended: ConfigError: CREAVIO_SIGNING"):
        await host([healthy, Guest(other.chassis, broken, other.ready)], house.stop)
    assert house.log("community")[-1]["message"] == "the service ended"
    assert [line for line in house.log("user") if line["log.level"] == "error"] == []
    await nobody_listens(house)


async def test_one_that_dies_later_is_named_and_the_others_finish_what_they_do(
    house: House,
) -> None:
    begun, die = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        begun.set()
        die.set()
        await asyncio.sleep(0.2)

    async def frail() -> None:
        await die.wait()
        raise RuntimeError("its heart\nstopped")

    hosting = asyncio.create_task(
        host([people(house, slowly), places(house, at_once, frail)], house.stop)
    )
    await everybody_answers(house)
    asking = asyncio.create_task(get_me(house))
    await begun.wait()
    with pytest.raises(FallenError) as raised:
        await hosting
    assert str(raised.value) == "community ended: RuntimeError: its heart"
    assert (await asking).bio == "of user"
    assert house.log("community")[-1]["log.level"] == "error"


async def test_a_host_that_is_given_up_leaves_nothing_running(house: House) -> None:
    hosting = asyncio.create_task(
        host([people(house, at_once, for_ever), places(house)], house.stop)
    )
    await everybody_answers(house)
    before = {task for task in asyncio.all_tasks() if task.get_name() in house.chassis}
    assert len(before) == 2
    hosting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hosting
    assert all(task.done() for task in before)

    await nobody_listens(house)


def _env_file(folder: Path, name: str, **more: str) -> Path:
    values = GOOD | {"CREAVIO_SERVICE": name} | more
    file = folder / f"{name}.env"
    file.write_text("".join(f'{key}="{value}"\n' for key, value in values.items()))
    return file


def test_each_reads_its_own_file_and_nothing_of_it_reaches_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in GOOD:
        monkeypatch.delenv(key, raising=False)
    files = [
        _env_file(tmp_path, "auth", CREAVIO_PUBLIC_URL="https://talk.example.org"),
        _env_file(tmp_path, "chat", CREAVIO_DATABASE_CONNECTIONS="3"),
    ]
    auth, chat = (load(file) for file in files)
    assert (auth.service, auth.database_connections) == ("auth", None)
    assert (chat.service, chat.database_connections) == ("chat", 3)
    assert settings.load(auth.env_file).public_url == "https://talk.example.org"
    assert settings.load(chat.env_file).public_url == "http://localhost:8080"


def test_a_wrong_value_of_one_is_one_line_that_names_its_file(tmp_path: Path) -> None:
    files = [_env_file(tmp_path, "user"), _env_file(tmp_path, "chat", CREAVIO_LOG_LEVEL="loud")]
    started = subprocess.run(
        [sys.executable, "-m", "chassis.run", *(f"--env-file={file}" for file in files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 1
    assert started.stderr.splitlines() == [started.stderr.strip()]
    assert started.stderr.startswith(f"{files[1]}: CREAVIO_LOG_LEVEL: ")
