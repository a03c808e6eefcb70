"""A platform of the fuzzers' own, and people with something to lose on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
import os

from hypothesis import HealthCheck, Phase, settings
import pytest

from tests.live import Live, Person, running


def examples(many: int, steps: int = 50) -> settings:
    """So many examples of a property, against a platform: a third of them where CI is set,
    and there the same in every run. `CREAVIO_FUZZ_TIMES` has more of them.
    """
    many *= int(os.environ.get("CREAVIO_FUZZ_TIMES", "1"))
    return settings(
        max_examples=max(1, many // 3) if os.environ.get("CI") else many,
        stateful_step_count=steps,
        deadline=None,
        # What fails is short as it is: looking for something shorter asks thousands of times.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True)
class Owner:
    """Somebody who has one of everything."""

    person: Person
    things: dict[str, str] = field(default_factory=dict)
    """Their ids, by the names that paths and bodies have for them."""


@pytest.fixture(scope="package")
def platform() -> Iterator[Live]:
    """Nobody else's: what is thrown at it harms no other test."""
    with running() as live:
        yield live


@pytest.fixture(scope="package")
def owner_of(platform: Live) -> Callable[[], Owner]:
    """Makes somebody new, who has one of everything."""

    def make() -> Owner:
        ada, grace = platform.sign_up("ada"), platform.sign_up("grace")
        community = ada.found()["id"]
        channel = ada.open_channel(community)["id"]
        invite = ada.invite(community)
        grace.accept(invite)
        roles = ada.do("GET", f"/v1/communities/{community}/roles")["roles"]
        things = {
            "community_id": community,
            "channel_id": channel,
            "message_id": ada.send(channel, "Is anybody there?")["id"],
            "user_id": grace.id,
            "role_id": roles[0]["id"],
            "code": invite,
            "handle": grace.handle,
        }
        return Owner(ada, things)

    return make
