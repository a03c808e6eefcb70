"""What the web app knows and shows, tested without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import web
from tools.commands import run

pytestmark = pytest.mark.timeout(600)  # may build the app
ROOT = Path(__file__).parents[2]


def test_the_app_holds_by_itself(app: Path) -> None:
    run("npx", "--no-install", "vitest", "run", cwd=ROOT / web.WEB)
