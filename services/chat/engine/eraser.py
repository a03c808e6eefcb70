"""Erases what stood in deleted channels, threads and groups, in bounded parts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from chassis.database import Database
from services.chat.store import erasing

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_SECONDS: Final = 5.0
_BREATH: Final = 0.05
"""Between two parts, so that a large channel is no burden."""
_AT_ONCE: Final = 500


class Eraser:
    """Erases; any number of replicas may."""

    def __init__(self, database: Database, telemetry: Telemetry) -> None:
        self._database = database
        self._log = telemetry.log

    async def run(self) -> None:
        """Erase what is deleted, for as long as the service lives."""
        while True:
            try:
                async with self._database.transaction() as tx:
                    more = await erasing.erase(tx, _AT_ONCE)
            except Exception as error:  # told, and tried again
                self._log.warning("deleted places are not erased", error=str(error))
                more = False
            await asyncio.sleep(_BREATH if more else _SECONDS)
