"""The browser that the web app is looked at in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import shutil
from typing import Final

from playwright.sync_api import Locator

from tests import debian

QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""With which it asks nobody for anything."""
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def find() -> str | None:
    """Where a Chromium is, installed where that can be done; None where it cannot."""
    if (found := _found()) is None:
        debian.install("chromium")
    return found or _found()


def _found() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def held(target: Locator) -> Iterator[None]:
    """A finger that stays on something, until the block ends."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    finger = target.page.context.new_cdp_session(target.page)
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    yield
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    finger.detach()
