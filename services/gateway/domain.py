"""Where a person's stream stands, how much is kept for it, and what ends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from chassis.errors import Exhausted, Invalid, Unavailable
from chassis.positions import Position

Positions: TypeAlias = Mapping[str, Position]
"""Per emitting service, the last event that was told or was not this person's to see."""

MAX_STREAMS: Final = 50
"""Streams that one person may have open here."""
MAX_REPLAYED: Final = 5_000
"""Events of one service looked through for a resumption; beyond it the client fetches anew."""
MAX_QUEUED: Final = 6_000
"""Events a reader may be behind before it has to come back with its token."""
MAX_QUEUED_BYTES: Final = 8 * 1024 * 1024
"""More than what NATS holds back when it is away for twenty seconds, at a hundred messages of
three KB a second. Streams share the bytes of an event: a crowd that is behind costs little
more than one of them."""
MAX_WRITTEN_BYTES: Final = 256 * 1024
"""How much is written at once; more follows in the next write."""

HEARTBEAT_SECONDS: Final = 15.0
START_SECONDS: Final = 5.0
"""How long a new stream waits for the feeds to follow, and for rbac to be heard."""
AHEAD_SECONDS: Final = 2.0
"""How long who was told of a new epoch elsewhere waits until this gateway knows of it."""
DOUBT_SECONDS: Final = 1.0
"""How long an event waits until it is known again who may see it."""

WRITES_PER_SECOND: Final = 20.0
"""Up to so many writes a second, a stream is told at once."""
BURST: Final = 5.0
COALESCE_SECONDS: Final = 0.02
"""Beyond, what happens within so long is written together."""


class InvalidResumeToken(Invalid):
    """The token is damaged, somebody else's, or of a form that is not known any more."""

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


class TooManyStreams(Exhausted):
    """The person has as many streams open as one may."""

    def __init__(self) -> None:
        super().__init__(f"more than {MAX_STREAMS} streams of one person are open", retry_after=5.0)


class Restarting(Unavailable):
    """This gateway stops; another is there, or will be."""

    def __init__(self) -> None:
        super().__init__("the gateway restarts; resume with the latest token")


class NotKnown(Unavailable):
    """It is not known at the moment what the person may see."""

    def __init__(self) -> None:
        super().__init__("permissions cannot be looked up at the moment; try again")
