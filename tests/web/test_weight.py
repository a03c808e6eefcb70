"""What a page costs whoever opens it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tests.web.conftest import Member

KILOBYTES = 200


def test_the_door_loads_few_scripts(member: Callable[..., Member], app: Path) -> None:
    mira = member("Mira")
    mira.go("/sign-in")
    mira.page.get_by_label("Password").wait_for()
    mira.page.wait_for_load_state("networkidle")
    loaded = mira.page.evaluate(
        "() => performance.getEntriesByType('resource').map(it => [it.name, it.encodedBodySize])"
    )
    scripts = {urlsplit(name).path: size for name, size in loaded if name.endswith(".js")}
    squeezed = {path: (app / f"packed/gzip{path}").stat().st_size for path in scripts}
    assert len(scripts) > 3
    assert sum(squeezed.values()) <= KILOBYTES * 1000, squeezed
    # This browser takes better than gzip, and gets it.
    assert sum(scripts.values()) < 0.9 * sum(squeezed.values())
