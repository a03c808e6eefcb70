"""The status a reason is published with is the one it is answered with."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

import pytest

from chassis import catalog as catalogs
from chassis import errors
from tools import failures
from tools.model import Model

HTTP = {3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 13: 500, 14: 503, 16: 401}
"""google.rpc.Code to HTTP, as Envoy's transcoder has it."""


def raised() -> Iterator[type[errors.Error]]:
    """Every error the services know."""
    for name in catalogs.load().services:
        if find_spec(f"services.{name}") and find_spec(f"services.{name}.domain"):
            import_module(f"services.{name}.domain")
    waiting = [errors.Error]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        # A kind without a reason of its own is given one where it is raised.
        if kind.reason != errors.Error.reason or kind is errors.Error:
            yield kind


@pytest.mark.parametrize("kind", [*raised()], ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_an_error_arrives_as_published(kind: type[errors.Error], model: Model) -> None:
    assert kind.reason in failures.reasons(model)
    assert failures.STATUS[kind.reason] == HTTP[kind.code]
