"""The contracts as they are published."""

from __future__ import annotations

import pytest

from tools import proto, reader
from tools.model import Model


@pytest.fixture(scope="session")
def model() -> Model:
    return reader.load((proto.ROOT / proto.DESCRIPTORS).read_bytes())
