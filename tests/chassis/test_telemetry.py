"""What a service tells about itself, and what it never does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
import errno
import io
import json
import socket
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Error
from chassis.telemetry import Telemetry
from chassis.testing import Caller, scratch_config
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import (
    UserServiceServicer,
    UserServiceStub,
    add_UserServiceServicer_to_server,
)
from tests.chassis.serving import Keys, serving

SECRET = "what-nobody-may-read"


class Careless(UserServiceServicer):
    """Fails with a person's words at hand."""

    def __init__(self, work: Callable[[str], Any]) -> None:
        self._work = work

    async def UpdateMe(
        self, request: user_service_pb2.UpdateMeRequest, context: object
    ) -> user_pb2.User:
        await self._work(request.bio)
        return user_pb2.User()


async def fail(contract: Contract, work: Callable[[str], Any]) -> None:
    """One call that fails with SECRET in hand and in its token."""
    keys = Keys()
    part = (add_UserServiceServicer_to_server, Careless(work))  # type: ignore[abstract]
    async with serving(contract, keys, part) as channel:
        with pytest.raises(Error):
            await Caller(channel, keys.token(jti=SECRET)).call(
                UserServiceStub(channel).UpdateMe, user_service_pb2.UpdateMeRequest(bio=SECRET)
            )


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def test_a_failure_is_logged_where_it_happened_without_what_it_held(
    contract: Contract, capsys: pytest.CaptureFixture[str]
) -> None:
    async def raise_unexpectedly(words: str) -> None:
        held = {"words": words}
        raise KeyError("a name that is missing", len(held))

    await fail(contract, raise_unexpectedly)
    (line,) = lines(capsys)
    assert line["log.level"] == "error"
    assert line["rpc"] == "/creavio.user.v1.UserService/UpdateMe"
    assert "raise_unexpectedly" in json.dumps(line), "the place it was raised"
    assert SECRET not in json.dumps(line)
    assert line["trace.id"]


async def test_a_failed_statement_is_logged_without_its_values(
    contract: Contract,
    capsys: pytest.CaptureFixture[str],
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> None:
    async with scratch("user") as database:

        async def ask(statement: str, words: str) -> None:
            async with database.transaction() as tx:
                await tx.execute(sa.text(statement), {"words": words})

        await fail(contract, lambda words: ask("SELECT :words FROM nowhere", words))
        await fail(
            contract,
            lambda words: ask("SELECT :words, pg_terminate_backend(pg_backend_pid())", words),
        )
    wrong, away = lines(capsys)
    assert "nowhere" in json.dumps(wrong)
    assert away["message"] == "database unavailable"
    assert SECRET not in json.dumps([wrong, away])


async def test_what_is_secret_by_name_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    log = Telemetry(scratch_config("user")).log
    log.info(
        "signing in",
        password=SECRET,
        token=SECRET,
        access_token=SECRET,
        refresh_token=SECRET,
        email=SECRET,
        content=SECRET,
        authorization=SECRET,
        rpc="kept",
    )
    (line,) = lines(capsys)
    assert line["rpc"] == "kept"
    assert SECRET not in json.dumps(line)


async def test_a_line_is_json_in_ecs_names(capsys: pytest.CaptureFixture[str]) -> None:
    Telemetry(scratch_config("user")).log.warning("something", detail=1)
    (line,) = lines(capsys)
    assert {"@timestamp", "log.level", "service.name", "message"} <= line.keys()
    assert (line["log.level"], line["service.name"]) == ("warning", "user")


async def test_calls_are_counted_by_method_and_outcome(contract: Contract) -> None:
    telemetries: list[Telemetry] = []
    original = Telemetry.__init__

    async def nothing(words: str) -> None:
        if words == "bad":
            raise KeyError("bad")

    def noting(self: Telemetry, *args: Any) -> None:
        original(self, *args)
        telemetries.append(self)

    keys = Keys()
    part = (add_UserServiceServicer_to_server, Careless(nothing))  # type: ignore[abstract]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Telemetry, "__init__", noting)
        async with serving(contract, keys, part) as channel:
            stub, caller = UserServiceStub(channel), Caller(channel, keys.token())
            await caller.call(stub.UpdateMe, user_service_pb2.UpdateMeRequest(bio="good"))
            with pytest.raises(Error):
                await caller.call(stub.UpdateMe, user_service_pb2.UpdateMeRequest(bio="bad"))
            with pytest.raises(Error):
                await caller.call(stub.UpdateMe, user_service_pb2.UpdateMeRequest(bio="b" * 501))

    def counted(outcome: str) -> float | None:
        labels = {"method": "/creavio.user.v1.UserService/UpdateMe", "outcome": outcome}
        return telemetries[0].registry.get_sample_value("grpc_server_handled_total", labels)

    assert [counted(o) for o in ("OK", "INTERNAL", "INVALID_FIELD")] == [1, 1, 1]


async def test_tasks_and_open_files_are_counted_when_they_are_asked_for() -> None:
    telemetry = Telemetry(scratch_config("user"))
    telemetry.watch(asyncio.get_running_loop())

    def metric(name: str) -> float:
        value = telemetry.registry.get_sample_value(name)
        assert value is not None
        return value

    tasks, files = metric("asyncio_tasks"), metric("process_open_fds")
    waiting = asyncio.create_task(asyncio.Event().wait())
    with socket.socket():
        assert metric("asyncio_tasks") == tasks + 1
        assert metric("process_open_fds") == files + 1
    waiting.cancel()


class Full(io.StringIO):
    """A file on a disk without room."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_that_cannot_be_written_is_lost_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full: whoever says so goes on."""
    monkeypatch.setattr("sys.stdout", Full())
    log = Telemetry(scratch_config("user")).log
    for say in (log.info, log.warning, log.error, log.exception):
        say("nobody hears this")
