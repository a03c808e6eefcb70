"""Lighthouse's judgement of the pages, as it judges for a desktop and for a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
import json
from pathlib import Path
import tempfile
from typing import Any, Final

from bench.measure import Result
from bench.page.screen import Screen, row
from tools import packages
from tools.commands import CommandError, run

_ROOT: Final = Path(__file__).parents[2]
_FOLDER: Final = "bench/page"
DOOR: Final = "/sign-in"
_TRIES: Final = 4
_CATEGORIES: Final = ("performance", "accessibility", "best-practices")


def judged(screen: Screen, pages: dict[str, str]) -> Iterator[Result]:
    """Judge pages, by their names, in the browser as it is: whoever is signed in stays so."""
    packages.install(_ROOT, _FOLDER)
    for name, path in pages.items():
        for device in ("desktop", "mobile"):
            report = _report_at_last(screen, path, device)
            audits = report["audits"]
            asked = audits["network-requests"]["details"]["items"]
            inside = any(each["url"].endswith("/ListMessages") for each in asked)
            if inside != (path != DOOR):
                raise RuntimeError(f"{name} is not what was judged: who was signed in is not")
            scripts = [
                each["transferSize"] for each in asked if each.get("resourceType") == "Script"
            ]
            yield row(
                f"Lighthouse, {name}",
                device,
                **{each: report["categories"][each]["score"] * 100 for each in _CATEGORIES},
                scripts_kib=sum(scripts) / 1024,
                first_paint_s=audits["first-contentful-paint"]["numericValue"] / 1000,
                largest_paint_s=audits["largest-contentful-paint"]["numericValue"] / 1000,
                blocked_ms=audits["total-blocking-time"]["numericValue"],
                layout_shift=audits["cumulative-layout-shift"]["numericValue"],
            )


def _report_at_last(screen: Screen, path: str, device: str) -> dict[str, Any]:
    """A report, asked for again where the browser lost its trace, as it does now and then."""
    for _ in range(_TRIES - 1):
        with suppress(CommandError):
            return _report(screen, path, device)
    return _report(screen, path, device)


def _report(screen: Screen, path: str, device: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="cv-") as folder:
        file = Path(folder) / "report.json"
        run(
            "npx",
            "--no-install",
            "lighthouse",
            screen.url(path),
            f"--port={screen.port}",
            f"--only-categories={','.join(_CATEGORIES)}",
            *(["--preset=desktop"] if device == "desktop" else []),
            "--disable-storage-reset",
            "--no-enable-error-reporting",
            "--quiet",
            "--output=json",
            f"--output-path={file}",
            cwd=_ROOT / _FOLDER,
        )
        report: dict[str, Any] = json.loads(file.read_text())
        return report
