"""A browser with somebody signed in, and what can be learnt of its page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import gzip
from pathlib import Path
import tempfile
import time
from typing import Any, Final

from playwright.sync_api import CDPSession, Page, sync_playwright

from bench.measure import Result
from tests.live import PASSWORD, Live, Person
from tests.web import chromium

FRAME: Final = 1000 / 60
"""Milliseconds."""
_WATCHING: Final = Path(__file__).with_name("watching.js")
_TRACED: Final = [
    "devtools.timeline",
    "disabled-by-default-devtools.timeline.frame",
    "loading",
    "blink.user_timing",
    "v8.execute",
]
"""What the developer tools' timeline is drawn from, without the profiler, which slows."""
_PORT: Final = "DevToolsActivePort"


class Screen:
    """A page of the app."""

    def __init__(self, live: Live, page: Page, debugger: CDPSession, port: int) -> None:
        self.page = page
        self.port = port
        """Where the browser's debugger listens."""
        self._debugger = debugger
        self._url = live.url.replace("127.0.0.1", "localhost")

    def url(self, path: str) -> str:
        """An address of the app."""
        return self._url + path

    def go(self, path: str) -> None:
        """Show another page, loaded anew."""
        self.page.goto(self.url(path))

    def sign_in(self, person: Person) -> None:
        """Enter by the door, and wait until one is inside."""
        self.go("/sign-in")
        self.page.get_by_label("Handle or e-mail address").fill(person.handle)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("navigation").first.wait_for()

    def room(self, community: str, channel: str) -> float:
        """Show a channel, loaded anew; seconds until messages are there to be read."""
        began = time.perf_counter()
        self.go(f"/c/{community}/{channel}")
        self.page.get_by_role("log").get_by_role("article").first.wait_for()
        return time.perf_counter() - began

    def memory(self) -> dict[str, float]:
        """What is left after a collection: JavaScript's heap in MiB, nodes of the document."""
        self._debugger.send("HeapProfiler.collectGarbage")
        self._debugger.send("HeapProfiler.collectGarbage")
        metrics = self._debugger.send("Performance.getMetrics")["metrics"]
        found = {each["name"]: each["value"] for each in metrics}
        return {"heap_mib": found["JSHeapUsedSize"] / 2**20, "nodes": found["Nodes"]}

    def ask(self, script: str, *arguments: Any) -> Any:
        """Run something of `watching.js`."""
        return self.page.evaluate(f"(given) => window.bench.{script}", *arguments)

    @contextmanager
    def traced(self, file: Path | None) -> Iterator[None]:
        """Keep what the browser does while the block runs, for its developer tools to show."""
        if file is None:
            yield
            return
        ended: list[str] = []
        self._debugger.once("Tracing.tracingComplete", lambda told: ended.append(told["stream"]))
        categories = {"includedCategories": _TRACED, "recordMode": "recordUntilFull"}
        self._debugger.send(
            "Tracing.start", {"transferMode": "ReturnAsStream", "traceConfig": categories}
        )
        yield
        self._debugger.send("Tracing.end")
        while not ended:
            self.page.wait_for_timeout(50)
        with gzip.open(file, "wt") as kept:
            while True:
                part = self._debugger.send("IO.read", {"handle": ended[0]})
                kept.write(part["data"])
                if part["eof"]:
                    break
        self._debugger.send("IO.close", {"handle": ended[0]})

    @contextmanager
    def watched(self) -> Iterator[dict[str, float]]:
        """How smoothly the page is drawn while the block runs, filled when it ends."""
        figures: dict[str, float] = {}
        self.ask("start()")
        began = time.perf_counter()
        yield figures
        seconds = time.perf_counter() - began
        seen = self.ask("stop()")
        frames = [each for each in seen["frames"] if each > 0]
        due = seconds * 1000 / FRAME
        figures |= {
            "frames_a_second": len(frames) / seconds,
            "dropped_percent": max(0.0, 100 * (1 - len(frames) / due)),
            "frame_p99_ms": sorted(frames)[int(0.99 * len(frames))],
            "frame_worst_ms": max(frames),
            "long_tasks": float(len(seen["tasks"])),
            "long_task_worst_ms": max(seen["tasks"], default=0.0),
        }


@contextmanager
def opened(live: Live, width: int = 1440, height: int = 900) -> Iterator[Screen]:
    """A browser of its own; nothing of it is left afterwards."""
    program = chromium.find()
    if program is None:
        raise SystemExit("needs a Chromium: apt install chromium")
    with tempfile.TemporaryDirectory(prefix="cv-") as folder, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder,
            executable_path=program,
            args=[*chromium.QUIET, "--remote-debugging-port=0"],
            viewport={"width": width, "height": height},
        )
        context.add_init_script(path=_WATCHING)
        page = context.pages[0]
        page.set_default_timeout(60_000)
        debugger = context.new_cdp_session(page)
        debugger.send("Performance.enable")
        port = int((Path(folder) / _PORT).read_text().split()[0])
        yield Screen(live, page, debugger, port)
        context.close()


def row(name: str, load: str, **figures: float) -> Result:
    """A measurement of the page: it has no operations of its own."""
    return Result(name, load, 1, 1.0, extra=figures)
