"""The mesh is tested on the same platform as the edge."""

from __future__ import annotations

from tests.edge.conftest import platform, shared_platform

__all__ = ["platform", "shared_platform"]
