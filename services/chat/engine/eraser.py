"""Erases what stood in deleted channels, threads and groups, in bounded parts."""

from __future__ import annotations

from typing import Final

from chassis.database import Database
from services.chat.store import erasing

_AT_ONCE: Final = 500


class Eraser:
    """Erases; any number of replicas may."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def erase(self) -> bool:
        """Erase a part of what is deleted; whether there may be more."""
        async with self._database.transaction() as tx:
            return await erasing.erase(tx, _AT_ONCE)
