"""How everything is: what `creavio status` shows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
import json
import os
import time
from typing import Any

from local import memory
from local.health import Health
from local.keeper import Keeper
from local.parts import Options, Parts
from local.service import ServicePart

_LATENCIES = r"/stats?format=json&filter=^cluster\..*\.upstream_rq_time$"
_MEDIAN = 50


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One line of the table."""

    name: str
    health: str
    pid: int | None
    memory: int
    """PSS in bytes, of the process and all below it."""
    restarts: int
    uptime: float | None
    """Seconds since it last became well."""
    p50_ms: float | None
    """The median time of a call to it, since Envoy started."""


class StatusView:
    """Reads the state of one run."""

    def __init__(self, options: Options, parts: Parts, health: Health, began: float) -> None:
        self._options = options
        self._parts = parts
        self._health = health
        self._began = began
        self.started_in: float | None = None
        """Seconds from the command until everything answered; None before."""

    def started(self) -> None:
        """Note that everything answers now."""
        self.started_in = time.monotonic() - self._began

    async def read(self) -> Mapping[str, Any]:
        """The whole status, as JSON takes it."""
        health = await self._health.parts()
        medians = await self._medians()
        lines = await asyncio.to_thread(
            lambda: [self._line(keeper, health, medians) for keeper in self._parts.keepers.values()]
        )
        own = await asyncio.to_thread(memory.one, os.getpid())
        return {
            "url": self._options.url,
            "home": str(self._options.home.root),
            "pid": os.getpid(),
            "started_in": self.started_in,
            "uptime": time.monotonic() - self._began,
            "parts": [asdict(line) for line in lines],
            "memory": own + sum(line.memory for line in lines),
            "supervisor_memory": own,
        }

    def _line(
        self, keeper: Keeper, health: Mapping[str, str], medians: Mapping[str, float]
    ) -> PartStatus:
        process = keeper.process
        since = keeper.since
        part = keeper.part
        # The services are the warm parent's children, and have lines of their own.
        measure = memory.one if part is self._parts.warm else memory.tree
        return PartStatus(
            name=keeper.name,
            health=health.get(keeper.name, "ok") if keeper.health == "ok" else keeper.story,
            pid=process.pid if process else None,
            memory=measure(process.pid) if process else 0,
            restarts=keeper.restarts,
            uptime=time.monotonic() - since if since is not None else None,
            p50_ms=medians.get(part.service) if isinstance(part, ServicePart) else None,
        )

    async def _medians(self) -> dict[str, float]:
        try:
            stats = json.loads(await self._parts.envoy.admin(_LATENCIES))["stats"]
        except (OSError, ValueError):
            return {}
        medians: dict[str, float] = {}
        for histograms in (entry["histograms"] for entry in stats if "histograms" in entry):
            median = histograms["supported_quantiles"].index(_MEDIAN)
            for histogram in histograms["computed_quantiles"]:
                value = histogram["values"][median]["cumulative"]
                if value is not None:
                    medians[histogram["name"].split(".")[1]] = value
        return medians
