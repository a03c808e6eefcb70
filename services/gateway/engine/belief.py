"""Whether what is known of rbac's policy may be acted upon, and since when not."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from chassis.knowledge import Knowledge

_LOOK_SECONDS: Final = 0.01


class Belief:
    """Follows the freshness of what is known; what events need is what reading calls need."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self.lost_at: float | None = None
        """Since when it is known that nothing may be believed."""

    def holds(self) -> bool:
        """Whether what was announced is known: no change was missed, and rbac was heard."""
        if self._knowledge.fresh(reading=True):
            self.lost_at = None
            return True
        if self.lost_at is None:
            self.lost_at = time.monotonic()
        return False

    async def returns(self) -> None:
        """Return once it holds, however long it takes."""
        while True:
            if self.holds():
                return
            await asyncio.sleep(_LOOK_SECONDS)
