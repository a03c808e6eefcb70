"""A service, put together.

`Chassis` is what a composition root (`services/<name>/app.py`) builds from:
configuration, the mesh, NATS, a database. `Service` is what it returns: who
answers calls, who consumes events, what else runs. `run` brings it to life.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from joserfc.jwk import KeySetSerialization

from chassis import events, idempotency, interceptors
from chassis.announce import Announcer
from chassis.auth import FetchKeys, Verifier
from chassis.authz import Access, Authorizer, Places, RemoteAccess
from chassis.bus import Bus
from chassis.catalog import Catalog
from chassis.clients import Clients
from chassis.config import Config
from chassis.contract import Contract
from chassis.contract import load as load_contract
from chassis.database import Database
from chassis.events import Consumer, EventHandler
from chassis.outbox import Outbox
from chassis.partitions import keep_window
from chassis.person import ERASED, ErasureConsumer, Erasures, Personal, PersonHandler
from chassis.server import Chain, new_server
from chassis.sessions import RemoteRevocations, Sessions
from chassis.telemetry import Telemetry
from chassis.tokens import Tokens
from chassis.usage import Usage
from creavio.auth.v1 import key_service_pb2
from creavio.auth.v1.key_service_pb2_grpc import KeyServiceStub

Register: TypeAlias = Callable[[Any, grpc.aio.Server], None]
"""A generated `add_…Servicer_to_server`."""
Work: TypeAlias = Callable[[], Awaitable[None]]
Job: TypeAlias = Callable[[], Awaitable[bool | None]]
"""Done over and over; says True when more of it waits."""

GRACE_SECONDS: Final = 5.0
_HOUR: Final = 3600.0
_ERASE_SECONDS: Final = 2.0
_BREATH: Final = 0.05
"""Seconds between two parts of a job, so that much of it is no burden."""


@dataclass(frozen=True)
class Service:
    """What a service consists of."""

    authorizer: Authorizer
    handlers: Sequence[tuple[Register, object]]
    """The servicers, each with the generated function that registers it."""
    consumers: Mapping[str, EventHandler] | None = None
    """Who handles the events of which emitting service."""
    background: Sequence[Work] = ()
    """What runs beside, for as long as the service lives."""
    drain: Callable[[], None] | None = None
    """Ends calls that would not end by themselves, when the service is to stop."""
    fetch_keys: FetchKeys | None = None
    """Where the keys of access tokens come from, if not from auth by the mesh."""
    prepare: Work | None = None
    """What has to be done before calls are answered."""
    sessions: Sessions | None = None
    """Who knows which sessions are over, if not auth by the mesh."""
    personal: Personal | None = None
    """What it keeps of people, if it does; then the catalog has it consume UserErased."""


class Chassis:
    """What services are built from: one of each part, made on first use."""

    def __init__(self, config: Config, catalog: Catalog) -> None:
        self.config = config
        self.catalog = catalog
        self.entry = catalog.services[config.service]

    @cached_property
    def contract(self) -> Contract:
        """The contracts of all services."""
        return load_contract(self.catalog)

    @cached_property
    def telemetry(self) -> Telemetry:
        """Traces, metrics and the log."""
        return Telemetry(self.config)

    @cached_property
    def bus(self) -> Bus:
        """The connection to NATS."""
        return Bus(self.config, self.telemetry)

    @cached_property
    def clients(self) -> Clients:
        """The way to other services."""
        return Clients(self.config.service, self.config.egress, self.contract)

    @cached_property
    def tokens(self) -> Tokens:
        """Page and resume tokens."""
        return Tokens(self.config)

    @cached_property
    def database(self) -> Database:
        """The service's database; the catalog says whether it has one."""
        assert self.entry.database is not None, "the service has no database in the catalog"
        connections = self.config.database_connections or self.entry.database.connections
        return Database(self.config, connections)

    @cached_property
    def outbox(self) -> Outbox:
        """The events the service emits."""
        return Outbox(self.config.service, self.contract, self.database, self.bus, self.telemetry)

    @cached_property
    def announcer(self) -> Announcer:
        """Tells at once what the outbox tells surely."""
        return Announcer(self.contract, self.bus)

    @cached_property
    def sessions(self) -> Sessions:
        """The sessions that are over, as auth says."""
        return Sessions(RemoteRevocations(self.clients), self.telemetry)

    def authorizer(self, places: Places | None = None, access: Access | None = None) -> Authorizer:
        """Decides by the contract's rules.

        `places` knows where channels belong; `access` is rbac, by default through
        the mesh.
        """
        return Authorizer(access or RemoteAccess(self.clients), places, self.telemetry)


async def run(
    chassis: Chassis, service: Service, stop: asyncio.Event, ready: Callable[[], None]
) -> None:
    """Serve until `stop`, then drain. `ready` is told once calls are answered."""
    config, telemetry, bus = chassis.config, chassis.telemetry, chassis.bus
    telemetry.watch(asyncio.get_running_loop())
    await bus.connect()
    sessions = service.sessions or chassis.sessions
    await service.authorizer.follow(bus)
    await sessions.follow(bus)
    await sessions.load()
    if service.prepare is not None:
        await service.prepare()
    verifier = Verifier(
        config.jwt_issuer,
        config.jwt_audience,
        service.fetch_keys or _keys_from_auth(chassis.clients),
    )
    chain = Chain(
        chassis.contract,
        interceptors.chain(
            telemetry,
            verifier,
            sessions,
            Usage(bus),
            service.authorizer,
            chassis.catalog.callers_of(config.service),
            config.requests_per_second,
        ),
    )
    server = new_server(chain, config.listen)
    status = _register(chassis, service, server)
    await server.start()
    jobs = [*_background(chassis, service), service.authorizer.run, sessions.run]
    work = [asyncio.ensure_future(job()) for job in jobs]
    telemetry.log.info("ready")
    ready()
    try:
        await _until(stop, work)
    finally:
        await status.enter_graceful_shutdown()
        if service.drain is not None:
            service.drain()
        await server.stop(GRACE_SECONDS)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await chassis.clients.close()
        await bus.close()
        if chassis.entry.database is not None:
            await chassis.database.close()


def _register(
    chassis: Chassis, service: Service, server: grpc.aio.Server
) -> health.aio.HealthServicer:
    names = []
    for register, servicer in service.handlers:
        register(servicer, server)
    if service.personal is not None:
        personal, name = service.personal, chassis.config.service
        handler = PersonHandler(name, chassis.database, personal, chassis.tokens)
        personal.register(handler, server)
    for file in chassis.contract.files:
        if file.package == chassis.entry.contract:
            names += [s.full_name for s in file.services_by_name.values()]
    status = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    reflection.enable_server_reflection(
        [
            *names,
            health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
            reflection.SERVICE_NAME,
        ],
        server,
    )
    return status


def _background(chassis: Chassis, service: Service) -> list[Work]:
    work = list(service.background)
    if chassis.entry.database is None:
        return work
    consumers = dict(service.consumers or {})
    if service.personal is not None:
        erasures = Erasures(chassis.database, service.personal)
        work.append(every(_ERASE_SECONDS, erasures.run, chassis.telemetry))
        asks = chassis.catalog.owner_of(ERASED)
        if asks != chassis.config.service:
            consumers[asks] = ErasureConsumer(consumers.get(asks))
    if {chassis.catalog.owner_of(event) for event in chassis.entry.consumes} != consumers.keys():
        raise RuntimeError("the catalog and app.py differ in whose events are consumed")
    parts = (chassis.contract, chassis.database, chassis.bus, chassis.telemetry)
    work.append(chassis.outbox.run)
    for producer, handler in consumers.items():
        work.append(Consumer(chassis.config.service, producer, *parts, handler).run)

    async def forget() -> None:
        async with chassis.database.transaction() as transaction:
            await idempotency.forget_old(transaction)
            await events.forget_old(transaction)
        await keep_window(chassis.database)

    work.append(every(_HOUR, forget, chassis.telemetry))
    return work


def every(seconds: float, job: Job, telemetry: Telemetry) -> Work:
    """Work that does a job over and over, `seconds` apart; a failure is told and tried again."""

    async def repeat() -> None:
        while True:
            more = None
            try:
                more = await job()
            except Exception:
                telemetry.log.exception("background work failed")
            await asyncio.sleep(_BREATH if more else seconds)

    return repeat


async def _until(stop: asyncio.Event, work: Sequence[asyncio.Future[None]]) -> None:
    """Wait for `stop`; raise what ended a piece of background work before it."""
    stopping: asyncio.Future[object] = asyncio.ensure_future(stop.wait())
    everything: list[asyncio.Future[object]] = [stopping, *work]  # type: ignore[list-item]  # Future is invariant
    await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
    if not stopping.done():
        stopping.cancel()
        for task in work:
            if task.done():
                task.result()
        raise RuntimeError("background work ended")


def _keys_from_auth(clients: Clients) -> FetchKeys:
    auth = KeyServiceStub(clients.channel)

    async def fetch() -> KeySetSerialization:
        keys = await clients.call(auth.GetKeySet, key_service_pb2.GetKeySetRequest())
        return {
            "keys": [
                {"kty": key.kty, "crv": key.crv, "x": key.x, "y": key.y, "kid": key.kid}
                for key in keys.keys
            ]
        }

    return fetch
