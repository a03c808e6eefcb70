"""Which channels exist, as far as people were told."""

from __future__ import annotations

import time
from typing import Final

from cachetools import LRUCache

from chassis import ids
from chassis.errors import Invalid

_YOUNG_SECONDS: Final = 60.0
"""How long after its id was made a channel may not have been announced yet."""
_KEPT: Final = 20_000


class Births:
    """Tells a channel that somebody lost the sight of from one that is just being made.

    The overrides of a private channel are there before it is
    (`ChannelService.CreateChannel`): until it is announced, nobody can lose it.
    """

    def __init__(self) -> None:
        self._announced: LRUCache[str, bool] = LRUCache(_KEPT)
        self._born: LRUCache[str, float] = LRUCache(_KEPT)

    def announce(self, channel_id: str) -> None:
        """A channel was announced."""
        self._announced[channel_id] = True

    def exists(self, channel_id: str) -> bool:
        """Whether a channel was announced, or must have been before this service began."""
        if channel_id in self._announced:
            return True
        born = self._born.get(channel_id)
        if born is None:
            born = self._born[channel_id] = _born(channel_id)
        return time.time() - born > _YOUNG_SECONDS


def _born(channel_id: str) -> float:
    """When an id was made, in seconds of Unix time: it is in its UUID (version 7)."""
    try:
        return (ids.parse(ids.Kind.CHANNEL, channel_id, field="channel_id").int >> 80) / 1000
    except Invalid:
        return 0.0
