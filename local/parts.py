"""The parts of the platform, put together from the catalog."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
import signal

from chassis import catalog as catalogs
from chassis.catalog import Catalog
from local import postgres_binaries
from local.bus import BusPlan, plan_anew
from local.credentials import Credentials
from local.envoy import EnvoyPart
from local.home import Home, Instance
from local.host_part import HostPart
from local.instance import ServiceInstance
from local.keeper import Keeper
from local.nats_server import NatsPart
from local.postgres import DatabaseGrant, PostgresPart, connection_budget, provision
from local.profile import USUAL, Profile
from local.service import ServicePart
from local.warm_parent import WarmParentPart
from mesh.topology import Limits, Topology

RUN_SERVICE = "chassis.run:serve"


@dataclass(frozen=True, slots=True)
class Options:
    """What one run is asked for."""

    home: Home
    port: int = 8080
    reload: bool = False
    serve: str = RUN_SERVICE
    """The function a service is run with, as `module:function`."""
    limits: Limits = field(default_factory=Limits)
    """How much each source and each person may ask of the edge."""
    catalog_file: Path = catalogs.CATALOG_FILE
    replicas: Mapping[str, int] = field(default_factory=dict)
    """How many processes of a service run, where it is not the catalog's number."""
    profile: Profile = USUAL
    """What is traded for memory."""
    metrics_port: int | None = None
    """The first of a row of loopback ports for Prometheus, one a process of a service in
    the catalog's order; no metrics are served when absent."""

    @property
    def url(self) -> str:
        """Where the platform opens in a browser."""
        return f"http://localhost:{self.port}"

    def catalog(self) -> Catalog:
        """The catalog as it is now. Raises `catalogs.CatalogError`."""
        return self.profile.fitted(catalogs.load(self.catalog_file).scaled(self.replicas))


def read_replicas(text: str) -> dict[str, int]:
    """What `chat=2,gateway=2` says. Raises `catalogs.CatalogError`."""
    pairs = [part.partition("=") for part in text.split(",") if part]
    for name, _, number in pairs:
        if not number.isdecimal():
            raise catalogs.CatalogError(f"replicas: {name}={number} is not like chat=2")
    return {name.strip(): int(number) for name, _, number in pairs}


def instances_of(keeper: Keeper) -> tuple[ServiceInstance, ...]:
    """The services that live in the process of a part; none in other parts."""
    return keeper.part.instances if isinstance(keeper.part, ServicePart | HostPart) else ()


class Parts:
    """Everything that runs, and what each needs made before it does.

    Raises `catalogs.CatalogError` for a catalog that cannot be run.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._home = options.home
        self._credentials = Credentials(options.home.secrets)
        self._catalog = options.catalog()
        self.postgres = PostgresPart(
            self._home,
            self._credentials,
            postgres_binaries.find(),
            connection_budget(self._grants()),
            options.profile.postgres,
        )
        self.nats = NatsPart(self._home, self._credentials)
        self.envoy = EnvoyPart(self._home)
        self.warm: WarmParentPart | None = None
        """Forks the services; None where they live in one process."""
        self.host: HostPart | None = None
        """The one process of all services; None where each has its own."""
        self.keepers: dict[str, Keeper] = {
            part.name: Keeper(part) for part in (self.postgres, self.nats, self.envoy)
        }
        if options.profile.one_process:
            living = [self._instance(instance) for instance in self._instances()]
            self.host = HostPart(self._home, living, options.serve)
            self.keepers[self.host.name] = Keeper(self.host)
        else:
            holds_code = options.serve == RUN_SERVICE and not options.reload
            self.warm = WarmParentPart(self._home, options.serve, holds_code=holds_code)
            self.keepers[self.warm.name] = Keeper(self.warm)
            for instance in self._instances():
                self.keepers[instance.name] = Keeper(self._service(instance, self.warm))

    @property
    def services(self) -> list[Keeper]:
        """The keepers of every process that services live in, callees first."""
        return [k for k in self.keepers.values() if isinstance(k.part, ServicePart | HostPart)]

    def of_service(self, service: str) -> list[Keeper]:
        """The keepers of one service's processes; empty when there is no such service."""
        return [k for k in self.services if service in {i.service for i in instances_of(k)}]

    async def plan_bus(self) -> None:
        """Write the configuration NATS starts with. Raises `PlanError`."""

        def load() -> BusPlan:
            # Imported beside everything else that starts: it brings all contracts.
            from local import bus_plan

            return bus_plan.load(self._options.catalog_file)

        aside = self._options.profile.plan_aside
        plan = plan_anew(self._options.catalog_file) if aside else asyncio.to_thread(load)
        self.nats.configure(await plan)

    async def provision_databases(self) -> None:
        """Give every service its database. Raises `StartError`."""
        await provision(self._home, self._credentials, self._grants())

    async def render(self, *, routes_only: bool = False) -> None:
        """Render Envoy's configuration. Raises `StartError`."""
        await self.envoy.render(self._topology(), routes_only=routes_only)

    async def adopt(self, catalog: Catalog, plan: BusPlan, warm: WarmParentPart) -> None:
        """Take a changed catalog and changed contracts into what runs.

        The services, which `warm` forks, are to be held meanwhile. Those that are new are there,
        not started, afterwards; those that left are stopped. Raises `StartError`.
        """
        before = {k.name for k in self.services}
        self._catalog = catalog
        await self._adopt_budget()
        await self.provision_databases()
        self.nats.configure(plan)
        if process := self.keepers[self.nats.name].process:
            process.signal(signal.SIGHUP)
        await self.nats.provision()
        instances = {instance.name: instance for instance in self._instances()}
        for name in before - instances.keys():
            await self.keepers.pop(name).stop()
        for name, instance in instances.items():
            if name in self.keepers:
                self.keepers[name].part = self._service(instance, warm)
            else:
                self.keepers[name] = Keeper(self._service(instance, warm))
        same_listeners = before == instances.keys()
        await self.render(routes_only=same_listeners)
        if not same_listeners:
            await self.keepers[self.envoy.name].restart()

    async def _adopt_budget(self) -> None:
        if self.postgres.needs_restart_for(connection_budget(self._grants())):
            await self.keepers[self.postgres.name].restart()

    def _service(self, instance: Instance, warm: WarmParentPart) -> ServicePart:
        return ServicePart(self._home, self._instance(instance), warm, self._options.serve)

    def _instance(self, instance: Instance) -> ServiceInstance:
        return ServiceInstance(
            self._home,
            instance,
            self._catalog.services[instance.service],
            self._credentials,
            self.nats.url,
            self._options.url,
            self._metrics_port(instance),
        )

    def _metrics_port(self, instance: Instance) -> int | None:
        first = self._options.metrics_port
        return None if first is None else first + list(self._instances()).index(instance)

    def _instances(self) -> Iterator[Instance]:
        for name, entry in self._catalog.services.items():
            for number in range(1, entry.replicas + 1):
                yield Instance(name, number)

    def _grants(self) -> list[DatabaseGrant]:
        return [
            DatabaseGrant(name, entry.database.connections, entry.replicas)
            for name, entry in self._catalog.services.items()
            if entry.database
        ]

    def _topology(self) -> Topology:
        home = self._home
        upstreams: dict[str, tuple[str, ...]] = {}
        for instance in self._instances():
            # Envoy listens in a service's folder before the service is there.
            home.service(instance.service).mkdir(mode=0o700, exist_ok=True)
            known = upstreams.get(instance.service, ())
            upstreams[instance.service] = (*known, f"unix:{home.listen(instance)}")
        return Topology(
            upstreams=upstreams,
            egress={name: str(home.egress(name)) for name in upstreams},
            admin=str(home.envoy_admin),
            keys=str(home.keys),
            health=str(home.health),
            public=f"127.0.0.1:{self._options.port}",
            access_log=str(home.log("access")),
            limits=self._options.limits,
            reference=str(catalogs.CATALOG_FILE.parent / "gen"),
            web=str(catalogs.CATALOG_FILE.parent / "web/out"),
        )
