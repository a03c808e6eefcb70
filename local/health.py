"""What is well and what is not: the view behind `/healthz` and `creavio status`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
import json
import time
from typing import Any

from local.envoy import EnvoyPart
from local.home import Home
from local.host_part import HostPart
from local.http_socket import Handler, Reply
from local.instance import ServiceInstance
from local.keeper import Keeper, Part
from local.nats_server import NatsPart
from local.parts import instances_of
from local.postgres import PostgresPart
from local.postgres import answers as postgres_answers
from local.warm_parent import WarmParentPart

_FRESH_SECONDS = 0.5
_SETTLING_SECONDS = 2.0
"""After a service said it answers, until Envoy's checks must agree."""


class Health:
    """What each part's keeper says, and whether it answers (asked twice a second at most)."""

    def __init__(self, home: Home, keepers: Mapping[str, Keeper]) -> None:
        self._home = home
        self._keepers = keepers
        self._silent: frozenset[str] = frozenset()
        self._asked = float("-inf")
        self._asking = asyncio.Lock()

    def route(self, method: str, path: str) -> Handler | None:
        """What answers a request: only `GET /healthz`."""
        return self.reply if (method, path) == ("GET", "/healthz") else None

    async def reply(self) -> Reply:
        """200 when everything is well, else 503; always each part by name."""
        parts = await self.parts()
        well = all(health == "ok" for health in parts.values())
        return Reply(200 if well else 503, {"status": "ok" if well else "degraded", "parts": parts})

    async def parts(self) -> dict[str, str]:
        """`ok`, or what is the matter, for every part something would miss."""
        async with self._asking:
            if time.monotonic() - self._asked > _FRESH_SECONDS:
                self._silent = await self._ask()
                self._asked = time.monotonic()
        health: dict[str, str] = {}
        for keeper in self._keepers.values():
            for instance in instances_of(keeper):
                health[instance.name] = self._of_service(keeper, instance)
            if not _only_carries(keeper):
                health.setdefault(keeper.name, self._of(keeper.name, keeper.health))
        return health

    def _of_service(self, keeper: Keeper, instance: ServiceInstance) -> str:
        # Of those that start in one process, each may answer before the last does.
        begun = keeper.state == "starting" and instance.answers
        return self._of(instance.name, "ok" if begun else keeper.health)

    def _of(self, name: str, health: str) -> str:
        return "down: does not answer" if health == "ok" and name in self._silent else health

    async def _ask(self) -> frozenset[str]:
        """Who runs and does not answer."""
        unhealthy = await self._unhealthy_in_mesh()
        silent: set[str] = set()
        for keeper in self._keepers.values():
            if keeper.state != "ok":
                continue
            settled = time.monotonic() - (keeper.since or 0) > _SETTLING_SECONDS
            if settled:
                silent |= {i.name for i in instances_of(keeper) if i.endpoint in unhealthy}
            if not await self._answers(keeper.part):
                silent.add(keeper.name)
        return frozenset(silent)

    async def _answers(self, part: Part) -> bool:
        if isinstance(part, NatsPart | EnvoyPart):
            return await part.answers()
        return await postgres_answers(self._home) if isinstance(part, PostgresPart) else True

    async def _unhealthy_in_mesh(self) -> frozenset[str]:
        envoy = self._keepers["envoy"]
        if envoy.state != "ok" or not isinstance(envoy.part, EnvoyPart):
            return frozenset()
        try:
            clusters = json.loads(await envoy.part.admin("/clusters?format=json"))
        except (OSError, ValueError):
            return frozenset()
        return frozenset(_failing(clusters))


def _only_carries(keeper: Keeper) -> bool:
    """Whether nothing would miss the part but the services in it, or below it."""
    return isinstance(keeper.part, WarmParentPart | HostPart)


def _failing(clusters: Mapping[str, Any]) -> list[str]:
    return [
        host["address"]["pipe"]["path"]
        for cluster in clusters.get("cluster_statuses", ())
        for host in cluster.get("host_statuses", ())
        if "pipe" in host["address"] and host["health_status"].get("failed_active_health_check")
    ]
