"""What is well and what is not: the view behind `/healthz` and `creavio status`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
import json
import time
from typing import Any

from local.envoy import EnvoyPart
from local.home import Home
from local.http_socket import Handler, Reply
from local.keeper import Keeper
from local.nats_server import NatsPart
from local.postgres import answers as postgres_answers
from local.service import ServicePart

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
        return {k.name: self._health_of(k) for k in self._keepers.values() if k.name != "warm"}

    def _health_of(self, keeper: Keeper) -> str:
        if keeper.health == "ok" and keeper.name in self._silent:
            return "down: does not answer"
        return keeper.health

    async def _ask(self) -> frozenset[str]:
        """The parts that run and do not answer."""
        unhealthy = await self._unhealthy_in_mesh()
        running = [k for k in self._keepers.values() if k.state == "ok" and k.name != "warm"]
        return frozenset([k.name for k in running if not await self._answers(k, unhealthy)])

    async def _answers(self, keeper: Keeper, unhealthy: frozenset[str]) -> bool:
        part = keeper.part
        if isinstance(part, NatsPart | EnvoyPart):
            return await part.answers()
        if isinstance(part, ServicePart):
            settled = time.monotonic() - (keeper.since or 0) > _SETTLING_SECONDS
            return not (settled and part.endpoint in unhealthy)
        return await postgres_answers(self._home)

    async def _unhealthy_in_mesh(self) -> frozenset[str]:
        envoy = self._keepers["envoy"]
        if envoy.state != "ok" or not isinstance(envoy.part, EnvoyPart):
            return frozenset()
        try:
            clusters = json.loads(await envoy.part.admin("/clusters?format=json"))
        except (OSError, ValueError):
            return frozenset()
        return frozenset(_failing(clusters))


def _failing(clusters: Mapping[str, Any]) -> list[str]:
    return [
        host["address"]["pipe"]["path"]
        for cluster in clusters.get("cluster_statuses", ())
        for host in cluster.get("host_statuses", ())
        if "pipe" in host["address"] and host["health_status"].get("failed_active_health_check")
    ]
