"""Where a person's stream stands, and what ends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from chassis.errors import Exhausted, Invalid
from chassis.positions import Position

Positions: TypeAlias = Mapping[str, Position]
"""Per emitting service, the last event that was told or was not this person's to see."""

MAX_QUEUED: Final = 1_000
"""Events a reader may be behind before it has to come back with its token."""
MAX_REPLAYED: Final = 5_000
"""Events looked through for one resumption; beyond it the client fetches anew."""
HEARTBEAT_SECONDS: Final = 15.0
START_SECONDS: Final = 5.0
"""How long a new stream waits for the feeds to follow."""


class InvalidResumeToken(Invalid):
    """The token is damaged, or somebody else's."""

    def __init__(self) -> None:
        super().__init__(
            "resume_token is damaged, or belongs to somebody else",
            fields=(("resume_token", "must be the latest token of one's own stream"),),
            reason="INVALID_RESUME_TOKEN",
        )


class ReadsTooSlowly(Exhausted):
    """The reader fell too far behind."""

    def __init__(self) -> None:
        super().__init__(
            "the stream was read too slowly; resume with the latest token", retry_after=1.0
        )
