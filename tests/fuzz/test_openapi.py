"""Whatever is sent to a published operation, the answer is one that was published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st
import pytest
import schemathesis
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz.conftest import Owner, examples
from tests.live import Live

ROOT = Path(__file__).parents[2]
schema = schemathesis.openapi.from_path(ROOT / "gen/openapi/creavio.openapi.yaml")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
Case: TypeAlias = schemathesis.Case[Any]
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
# The event stream does not end.
FOUND = list(schema.exclude(path="/v1/events").get_all_operations())
OPERATIONS = [result.ok() for result in FOUND if isinstance(result, Ok)]


def test_every_operation_can_be_called() -> None:
    assert len(OPERATIONS) == len(FOUND) > 100


class Owners:
    """Somebody who calls: what is thrown may cost them what they have, and their session."""

    def __init__(self, make: Callable[[], Owner]) -> None:
        self._make = make
        self.one = make()

    def lost(self) -> None:
        """Their session is over: another takes their place."""
        self.one = self._make()


@pytest.fixture(scope="module")
def owners(owner_of: Callable[[], Owner]) -> Owners:
    return Owners(owner_of)


def aimed(case: Case, things: dict[str, str]) -> Case:
    """Three cases in four are about what there is: random ids name nothing."""
    if crc32(repr((case.path_parameters, case.query, case.body)).encode()) % 4:
        for container in (case.path_parameters, case.query, case.body):
            if isinstance(container, dict):
                container.update({name: things[name] for name in things if name in container})
    return case


def cases(operation: Operation) -> st.SearchStrategy[Case]:
    """What the contract allows, and where there is anything to get wrong, what it does not."""
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if not [*operation.iter_parameters(), *operation.body]:
        return right
    return right | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_was_published(operation: Operation, platform: Live, owners: Owners) -> None:
    @examples(6)
    @given(cases(operation))
    def throw(case: Case) -> None:
        somebody = owners.one
        reply = aimed(case, somebody.things).call_and_validate(
            base_url=platform.url,
            headers={"authorization": f"Bearer {somebody.person.token}"},
            checks=CHECKS,
            timeout=15,
        )
        if reply.status_code == 401:
            owners.lost()

    throw()
