"""Profiles: what a start trades for memory, each figure in one place.

A profile is how one start is, and is kept nowhere: a home goes from one to the
other by being started so. What was measured is in docs/adr/0036-compact-profile.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chassis.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Profile:
    """How the parts are started."""

    one_process: bool = False
    """Whether all services live in one process; else each has its own."""
    plan_aside: bool = False
    """Whether the bus is planned in a process of its own, so that the contracts do not stay
    in the supervisor's memory; that takes more of the processor at a start."""
    pool: float = 1.0
    """The share of the catalog's connections that a service's pool holds."""
    postgres: Mapping[str, str] = field(default_factory=dict)
    """Settings of PostgreSQL that differ from the usual ones."""

    def fitted(self, catalog: Catalog) -> Catalog:
        """The catalog, with pools as the profile has them."""
        return catalog if self.pool == 1.0 else catalog.pooled(self.pool)


USUAL = Profile()

COMPACT = Profile(one_process=True, plan_aside=True, pool=0.4, postgres={"shared_buffers": "8MB"})
"""For a machine with 1 GB."""
