"""How everything is: what `creavio status` shows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
import json
import os
import time
from typing import Any

from local import memory
from local.health import Health
from local.keeper import Keeper
from local.parts import Options, Parts, instances_of
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
    """PSS in bytes, of the process and all below it; 0 of what lives within another part."""
    restarts: int
    uptime: float | None
    """Seconds since it last became well."""
    p50_ms: float | None
    """The median time of a call to it, since Envoy started."""
    within: str | None
    """The part whose process it lives in, together with others; its memory is told there."""


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
            lambda: [
                line
                for keeper in self._parts.keepers.values()
                for line in self._lines(keeper, health, medians)
            ]
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

    def _lines(
        self, keeper: Keeper, health: Mapping[str, str], medians: Mapping[str, float]
    ) -> Iterator[PartStatus]:
        instances = instances_of(keeper)
        if isinstance(keeper.part, ServicePart):
            (alone,) = instances
            yield self._line(keeper, keeper.name, health, medians.get(alone.service))
            return
        yield self._line(keeper, keeper.name, health)
        for instance in instances:
            line = self._line(keeper, instance.name, health, medians.get(instance.service))
            yield replace(line, memory=0, within=keeper.name)

    def _line(
        self, keeper: Keeper, name: str, health: Mapping[str, str], median: float | None = None
    ) -> PartStatus:
        process = keeper.process
        since = keeper.since
        # The services are the warm parent's children, and have lines of their own.
        measure = memory.one if keeper.part is self._parts.warm else memory.tree
        well = keeper.health == "ok" or health.get(name) == "ok"
        return PartStatus(
            name=name,
            health=health.get(name, "ok") if well else keeper.story,
            pid=process.pid if process else None,
            memory=measure(process.pid) if process else 0,
            restarts=keeper.restarts,
            uptime=time.monotonic() - since if since is not None else None,
            p50_ms=median,
            within=None,
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
