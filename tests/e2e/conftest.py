"""A platform with two of what holds streams and of what writes messages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import COMPACT, Live, profile, running


@pytest.fixture(scope="module")
def pair() -> Iterator[Live]:
    """Two gateways and two chats, shared by the tests of one module.

    On the compact profile one process holds one of each.
    """
    two = running() if profile() == COMPACT else running(CREAVIO_REPLICAS="chat=2,gateway=2")
    with two as platform:
        yield platform
