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
    """Asks every required part, at most twice a second."""

    def __init__(self, home: Home, keepers: Mapping[str, Keeper]) -> None:
        self._home = home
        self._keepers = keepers
        self._parts: dict[str, str] = {}
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
                self._parts = await self._ask()
                self._asked = time.monotonic()
            return self._parts

    async def _ask(self) -> dict[str, str]:
        keepers = [k for k in self._keepers.values() if k.name != "warm"]
        unhealthy = await self._unhealthy_in_mesh()
        return {k.name: await self._health_of(k, unhealthy) for k in keepers}

    async def _health_of(self, keeper: Keeper, unhealthy: frozenset[str]) -> str:
        if keeper.health != "ok":
            return keeper.health
        part = keeper.part
        if isinstance(part, NatsPart | EnvoyPart):
            well = await part.answers()
        elif isinstance(part, ServicePart):
            settled = time.monotonic() - (keeper.since or 0) > _SETTLING_SECONDS
            well = not (settled and part.endpoint in unhealthy)
        else:
            well = await postgres_answers(self._home)
        return "ok" if well else "down: does not answer"

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
