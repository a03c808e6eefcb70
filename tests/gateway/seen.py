"""What streams are told of who is there."""

from __future__ import annotations

from collections import Counter

from chassis.testing import eventually
from creavio.gateway.v1 import presence_pb2 as g
from services.gateway.engine.stream import Stream
from tests.gateway.world import Stage, heard

ONLINE, OFFLINE = g.PRESENCE_STATUS_ONLINE, g.PRESENCE_STATUS_OFFLINE
IDLE, BUSY = g.PRESENCE_STATUS_IDLE, g.PRESENCE_STATUS_DO_NOT_DISTURB


class Seen:
    """What a stream is told of who is there, the last of each person."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.people: dict[str, int] = {}
        self.times: Counter[str] = Counter()
        """How often it was told of each."""

    @property
    def said(self) -> int:
        """How often it was told of anybody."""
        return self.times.total()

    async def now(self) -> dict[str, int]:
        """Who is there as far as it was told by now."""
        for event in await heard(self.stream):
            if event.HasField("presence"):
                self.people[event.presence.user_id] = event.presence.status
                self.times[event.presence.user_id] += 1
        return self.people

    async def sees(self, **people: int) -> None:
        """Waits until it was told so of these."""

        async def told() -> None:
            seen = await self.now()
            assert people.items() <= seen.items(), seen

        await eventually(told)


async def seeing(stage: Stage, user: str, replica: int = 0) -> Seen:
    """A new stream of a person, and what it is told."""
    return Seen(await stage.open(user, stage.hubs[replica]))


async def listed(stage: Stage, viewer: str, community: str, replica: int = 0) -> dict[str, int]:
    """Those of a community who are there, as a replica answers."""
    found = await stage.presences[replica].there(viewer, community)
    return {presence.user_id: presence.status for presence in found}
