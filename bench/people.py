"""People who speak gRPC to the edge, as a native client does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import grpc

from tests.live import Live, Person

RATE = "1000000"
"""`CREAVIO_REQUESTS_PER_SECOND`: more messages a second than one person sends here over one
stream."""
FRESH_SECONDS: Final = 600.0
"""After which a person signs in again: an access token is good for 15 minutes."""
_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1))


@dataclass(frozen=True)
class Place:
    """A community, its owner, and channels to write in."""

    owner: Person
    community: str
    channels: tuple[str, ...]

    def join(self, person: Person) -> None:
        """Let somebody in."""
        person.accept(self.owner.invite(self.community))


def found(live: Live, channels: int = 8) -> Place:
    """A new community."""
    owner = live.sign_up("owner")
    community = owner.found("Bench")["id"]
    made = tuple(owner.open_channel(community, f"channel {n}")["id"] for n in range(channels))
    return Place(owner, community, made)


def members(live: Live, place: Place, number: int) -> list[Person]:
    """So many people who signed up and came in."""
    came = []
    for index in range(number):
        person = live.sign_up(f"member-{index}")
        place.join(person)
        came.append(person)
    return came


def metadata(person: Person) -> tuple[tuple[str, str], ...]:
    """What a call of this person carries."""
    return (("authorization", f"Bearer {person.token}"),)


@asynccontextmanager
async def connected(live: Live, channels: int = 1) -> AsyncIterator[list[grpc.aio.Channel]]:
    """Connections to the edge."""
    made = [
        grpc.aio.insecure_channel(f"127.0.0.1:{live.port}", options=_OPTIONS)
        for _ in range(channels)
    ]
    try:
        yield made
    finally:
        for channel in made:
            await channel.close()
