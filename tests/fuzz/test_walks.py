"""Wherever the published links lead, in whatever order, every answer is one that was published.

The state machine is schemathesis's own. What it may do next depends on what was answered, which
depends on clocks, on keys made at random and on what other services heard meanwhile, while
Hypothesis expects of the same choices the same questions (FlakyStrategyDefinition). It asks that
of its own backend alone, since only there it remembers what it drew: `UNTRACKED` draws the same
and is another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from zlib import crc32

from hypothesis import settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.transport import Response
from schemathesis.generation.stateful import run_state_machine_as_test

from tests.fuzz.conftest import Owner, examples
from tests.fuzz.test_openapi import CHECKS, ROOT, Owners
from tests.live import PASSWORD, Live

Case: TypeAlias = schemathesis.Case[Any]
UNTRACKED: Final = "untracked"
WALKS: Final = 6
"""In each of the areas."""
STEPS: Final = 40
AREAS: Final = {
    "communities": r"^/v1/(communities|invites|templates)",
    "channels": r"^/v1/(communities$|communities/{community_id}/channels$|channels|threads)",
    "people": r"^/v1/(?!communities|invites|templates|channels|threads|events)",
}
"""Where a walk stays: in all at once it hardly ever gets as far as a message."""
SENSE: Final = {
    "password": PASSWORD,
    "etag": "",
    "start_time": "2030-01-01T18:00:00Z",
    "end_time": "2030-01-01T20:00:00Z",
    "send_time": "2030-01-01T18:00:00Z",
    "expire_time": "2030-01-01T18:00:00Z",
    "time_zone": "Europe/Berlin",
}
"""What the contract's words say of a field, and its schema cannot."""


class Untracked(HypothesisProvider):
    """Draws what Hypothesis draws."""


@pytest.fixture
def untracked() -> Iterator[str]:
    """The name of that backend, while it is there."""
    AVAILABLE_PROVIDERS[UNTRACKED] = Untracked
    yield UNTRACKED
    del AVAILABLE_PROVIDERS[UNTRACKED]


@dataclass
class Journal:
    """How often each operation was answered well, and how often along a link."""

    done: Counter[str] = field(default_factory=Counter)
    followed: Counter[str] = field(default_factory=Counter)

    def note(self, case: Case, reply: Response) -> None:
        """Write down an answer."""
        if reply.status_code == 200:
            self.done[case.operation.label] += 1
            if case.path_parameters:
                self.followed[case.operation.label] += 1


def machine(area: str) -> Any:
    """Follows the links that are published, not those that could be guessed beside them."""
    document: Any = schemathesis.openapi.from_path(ROOT / "gen/openapi/creavio.openapi.yaml")
    # What nobody has to sign in for begins nothing here.
    schema = document.include(path_regex=AREAS[area]).exclude(
        lambda context: context.operation.definition.raw["x-creavio-access"] == "ANONYMOUS"
    )
    schema.config.generation.modes = [GenerationMode.POSITIVE]
    schema.config.phases.stateful.inference.algorithms = []
    return schema.as_state_machine()


def signed_out(reply: Response) -> bool:
    """Whether the caller's session is over."""
    return reply.status_code == 401 and "SESSION_REVOKED" in reply.text


def meant(container: object, things: dict[str, str]) -> None:
    """Three requests in four are about what there is, and say what has a meaning."""
    if isinstance(container, dict) and crc32(repr(container).encode()) % 4:
        known = SENSE | things | {"user_ids": [things["user_id"]]}
        container.update({name: known[name] for name in known if name in container})


def walks(area: str, platform: Live, owner_of: Callable[[], Owner], journal: Journal) -> Any:
    """The machine, at home on a platform: each walk is somebody's who is new."""
    base: Any = machine(area)

    class Walk(base):  # type: ignore[misc]  # made while the test runs
        def setup(self) -> None:
            self.owners = Owners(owner_of)

        def before_call(self, case: Case) -> None:
            for container in (case.query, case.body):
                meant(container, self.owners.one.things)

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            token = self.owners.one.person.token
            headers = {"authorization": f"Bearer {token}"}
            return {"base_url": platform.url, "headers": headers, "timeout": 15}

        def after_call(self, response: Response, case: Case) -> None:
            super().after_call(response, case)
            journal.note(case, response)
            if signed_out(response):
                self.owners.lost()

        def validate_response(self, response: Response, case: Case, **how: Any) -> None:
            case.validate_response(response, checks=CHECKS, transport_kwargs=how)

    return Walk


@pytest.mark.parametrize("area", AREAS)
def test_wherever_links_lead_every_answer_was_published(
    area: str, platform: Live, owner_of: Callable[[], Owner], untracked: str
) -> None:
    journal = Journal()
    often = settings(examples(WALKS, STEPS), backend=untracked, database=None)
    run_state_machine_as_test(walks(area, platform, owner_of, journal), settings=often)
    # Who stands still sees nothing.
    assert journal.followed, journal
