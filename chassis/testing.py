"""What tests of services use: callers, scratch databases, patience.

Nothing here fakes a part: a caller speaks real gRPC, a scratch database is a real
one, made for one test and dropped after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
import tempfile
import time
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit, urlunsplit

from google.protobuf.message import Message
import grpc
from grpc_status import rpc_status
from pydantic import SecretStr
import sqlalchemy as sa

from chassis import ids, status
from chassis.calls import Call
from chassis.config import Config
from chassis.contract import Contract, Rpc
from chassis.database import Database, Transaction
from chassis.errors import Error
from chassis.migrate import migrate
from chassis.server import Chain, Handler, new_server

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)
T = TypeVar("T")

Register: TypeAlias = Callable[[Any, grpc.aio.Server], None]
"""A generated `add_…Servicer_to_server`."""


class Caller:
    """Somebody who calls over one gRPC channel: a person, by token, or nobody."""

    def __init__(self, channel: grpc.aio.Channel, token: str | None = None) -> None:
        self.channel = channel
        self._token = token

    async def call(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Q, R], request: Q, **metadata: str
    ) -> R:
        """Call, and return the answer. Raises the error the service raised."""
        try:
            return await method(request, timeout=10, metadata=self.metadata(**metadata))
        except grpc.aio.AioRpcError as error:
            raise status.from_call(error) from error

    def metadata(self, **more: str) -> grpc.aio.Metadata:
        """The metadata the caller sends; underscores in names stand for hyphens."""
        metadata = grpc.aio.Metadata(*((k.replace("_", "-"), v) for k, v in more.items()))
        if self._token is not None:
            metadata.add("authorization", f"Bearer {self._token}")
        return metadata


@asynccontextmanager
async def scratch_database(admin_url: str, service: str) -> AsyncIterator[Database]:
    """A database of its own with the service's schema, dropped afterwards.

    `admin_url` is SQLAlchemy's, of a role that may create databases.
    """
    name = f"scratch_{ids.new().hex}"
    admin = sa.create_engine(admin_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    config = scratch_config(service, _with_path(admin_url, name))
    try:
        await asyncio.to_thread(migrate, config)
        database = Database(config, connections=8)
        yield database
        await database.close()
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def scratch_config(service: str, database_url: str | None = None) -> Config:
    """A configuration that leads nowhere but to the database."""
    return Config(
        service=service,
        listen="127.0.0.1:0",
        egress="127.0.0.1:1",
        nats_url="nats://127.0.0.1:1",
        nats_user=service,
        nats_password=SecretStr("none"),
        token_key=SecretStr("a key for tests only, 32 bytes or more"),
        database_url=None if database_url is None else SecretStr(database_url),
    )


@asynccontextmanager
async def standing_in(contract: Contract, *parts: tuple[Register, object]) -> AsyncIterator[str]:
    """Serves stand-ins for other services at the address it gives.

    A stand-in is a servicer of the contract that keeps its promises in memory;
    what it raises travels as a service's errors do.
    """
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as folder:  # short
        address = f"unix:{Path(folder) / 'in.sock'}"
        server = new_server(Chain(contract, (_errors_told,)), address)
        for register, servicer in parts:
            register(servicer, server)
        await server.start()
        try:
            yield address
        finally:
            await server.stop(None)


def _errors_told(_: Rpc, proceed: Handler) -> Handler:
    async def serve(call: Call) -> None:
        try:
            await proceed(call)
        except Error as error:
            await call.context.abort_with_status(rpc_status.to_status(status.to_status(error)))

    return serve


async def plan_of(database: Database, ask: Callable[[Transaction], Awaitable[object]]) -> str:
    """How PostgreSQL goes about what `ask` asks: the plans of its statements, as text."""
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    async with database.transaction() as transaction:
        connection = transaction._connection
        sa.event.listen(connection.sync_connection, "before_cursor_execute", note)
        await ask(transaction)
        sa.event.remove(connection.sync_connection, "before_cursor_execute", note)
        lines: list[str] = []
        for statement, parameters in asked:
            explained = await connection.exec_driver_sql(
                f"EXPLAIN (COSTS OFF) {statement}", parameters
            )
            lines += explained.scalars()
    return "\n".join(lines)


async def eventually(check: Callable[[], Awaitable[T]], within: float = 15.0) -> T:
    """What `check` returns, tried again while it raises AssertionError, for so many seconds.

    As patient as a busy machine wants it: who succeeds does not wait.
    """
    ends = time.monotonic() + within
    while True:
        try:
            return await check()
        except AssertionError:
            if time.monotonic() > ends:
                raise
            await asyncio.sleep(0.02)


def _with_path(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
