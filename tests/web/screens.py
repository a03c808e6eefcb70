"""Every screen of the web app at three widths in both themes: `python -m tests.web.screens`.

Starts a platform with the demo community, and leaves in `docs/screenshots` one sheet for
each screen, and by themselves the two that the README shows.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
import subprocess
import sys
from typing import Any, Final, TypeAlias

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from local.credentials import Credentials
from local.seed.lantern_street import SCENE
from tests.live import Live, Person, running
from tests.web import chromium
from tools import web

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs/screenshots"
WIDTHS: Final = {1440: 900, 820: 1180, 360: 780}
PHONE: Final = min(WIDTHS)
THEMES: Final = ("light", "dark")
_SHOWN: Final = {("room", 1440, "light"): "room", ("room", 360, "dark"): "phone"}
"""The screens that stand by themselves, and what those files are called."""
_SHEET: Final = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; padding: 24px; display: grid; gap: 24px; width: 1552px; background: #8a8f98;
  grid-template-columns: 900px 400px 204px; align-items: start; }
img { width: 100%; border-radius: 6px; display: block }
</style>"""
_QUALITY: Final = 72

Act: TypeAlias = Callable[[Page], object]


@dataclass(frozen=True)
class Screen:
    """Where a screen is, and what is done there until it is seen."""

    name: str
    path: str
    act: Act = lambda page: None
    signed_in: bool = True


def main() -> None:
    """Take them all, or those that are named."""
    web.build(ROOT)
    program = chromium.find()
    if program is None:
        raise SystemExit("needs a Chromium: apt install chromium")
    FOLDER.mkdir(exist_ok=True)
    with running() as live, sync_playwright() as playwright:
        mira = seeded(live)
        browser = playwright.chromium.launch(executable_path=program, args=list(chromium.QUIET))
        wanted = [one for one in screens(mira) if one.name in sys.argv[1:] or not sys.argv[1:]]
        taken: dict[tuple[str, int, str], bytes] = {}
        for width in WIDTHS:
            for theme in THEMES:
                for signed_in in (False, True):
                    some = [screen for screen in wanted if screen.signed_in == signed_in]
                    if not some:
                        continue
                    with looking(browser, live, width, theme, mira if signed_in else None) as page:
                        for screen in some:
                            taken[screen.name, width, theme] = shot(page, live, screen)
        for screen in wanted:
            sheet(browser, screen.name, taken)
            sys.stdout.write(f"{screen.name}\n")
        for key, name in _SHOWN.items():
            if key in taken:
                (FOLDER / f"{name}.webp").write_bytes(taken[key])
        browser.close()


def seeded(live: Live) -> Person:
    """Whoever founded the demo community, signed in over REST."""
    environment = {"CREAVIO_HOME": str(live.home.root), "PATH": "/usr/bin:/bin"}
    subprocess.run(
        [sys.executable, "-m", "local.cli", "seed"],
        env=environment,
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    handle = SCENE.people[SCENE.founder].handle
    body = {"login": handle, "password": Credentials(live.home.secrets).password("demo")}
    reply = httpx.post(f"{live.url}/v1/sessions", json=body, timeout=15)
    reply.raise_for_status()
    return Person(live, handle, reply.json())


def screens(mira: Person) -> Iterator[Screen]:
    """All there are, in the order one meets them."""
    community = mira.do("GET", "/v1/communities")["communities"][0]["id"]
    channels = mira.do("GET", f"/v1/communities/{community}/channels")["channels"]
    ids = {channel["name"]: channel["id"] for channel in channels}
    place = f"/c/{community}"
    bench = f"{place}/{ids['the-bench']}"
    talk = mira.do("GET", "/v1/conversations")["conversations"][0]["id"]
    thread = begun_thread(mira, ids["the-bench"])
    yield Screen("sign-in", "/sign-in", signed_in=False)
    yield Screen("sign-up", "/sign-up", signed_in=False)
    yield Screen("forgot-password", "/forgot-password", signed_in=False)
    yield Screen("first", "/")
    yield Screen("list", place)
    yield Screen("room", bench)
    yield Screen("thread", f"{bench}/{thread}")
    yield Screen("people", bench, people)
    yield Screen("message-menu", bench, menu_of_a_message)
    yield Screen("emoji", bench, emoji)
    yield Screen("completion", bench, lambda page: writing(page, "Thank you @"))
    yield Screen("switcher", bench, lambda page: page.keyboard.press("Control+k"))
    yield Screen("keys", bench, lambda page: page.keyboard.press("Control+/"))
    yield Screen("conversation", f"/messages/{talk}")
    yield Screen("catch-up", "/catch-up")
    for page in ("profile", "privacy", "look", "data", "sign-in", "sessions", "apps", "bots"):
        yield Screen(f"settings-{page}", f"/settings/{page}")
    for page in ("tokens", "server"):
        yield Screen(f"settings-{page}", f"/settings/{page}")
    for page in ("overview", "channels", "roles", "members", "invitations", "events", "emoji"):
        yield Screen(f"manage-{page}", f"{place}/settings/{page}")
    for page in ("newcomers", "bans", "audit", "bots", "templates"):
        yield Screen(f"manage-{page}", f"{place}/settings/{page}")


def begun_thread(mira: Person, channel: str) -> str:
    """A thread at what was said about crumbs, with an answer in it."""
    message = next(each for each in mira.messages(channel) if each["content"] == "It was crumbs.")
    body = {"message_id": message["id"], "name": "Crumbs, a history"}
    thread = str(mira.do("POST", f"/v1/channels/{channel}/threads", json=body)["id"])
    mira.send(thread, "Third one this year. I am printing a sign: *shake it first*.")
    return thread


def people(page: Page) -> None:
    """Who is here; a phone has it in a menu."""
    button = page.get_by_role("button", name="People", exact=True)
    if not button.is_visible():
        page.get_by_role("button", name="More", exact=True).first.click()
        button = page.get_by_role("dialog").get_by_role("button", name="People")
    button.click()


def menu_of_a_message(page: Page) -> None:
    row = page.get_by_role("log").get_by_role("article").filter(has_text="a smaller potato")
    viewport = page.viewport_size
    assert viewport is not None
    if viewport["width"] > PHONE:
        row.hover()
        row.get_by_role("button", name="More", exact=True).click()
        return
    with chromium.held(row):
        page.get_by_role("menu").wait_for()


def emoji(page: Page) -> None:
    page.get_by_role("button", name="Emoji").last.click()
    page.get_by_role("dialog").wait_for()


def writing(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Write to").press_sequentially(text)


@contextmanager
def looking(
    browser: Browser, live: Live, width: int, theme: Any, person: Person | None
) -> Iterator[Page]:
    """A page of that width in that theme."""
    context = browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme=theme,
        reduced_motion="reduce",
        has_touch=width <= PHONE,
    )
    page = context.new_page()
    if person is not None:
        page.goto(address(live, "/sign-in"))
        page.get_by_label("Handle or e-mail address").fill(person.handle)
        password = Credentials(live.home.secrets).password("demo")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("navigation").first.wait_for()
    yield page
    context.close()


def address(live: Live, path: str) -> str:
    """Where the app has an address; cookies belong to a name."""
    return live.url.replace("127.0.0.1", "localhost") + path


def shot(page: Page, live: Live, screen: Screen) -> bytes:
    """How a screen looks."""
    page.goto(address(live, screen.path))
    page.get_by_role("main").first.wait_for()
    page.wait_for_timeout(1200)  # a stream stays open: nothing says that all has arrived
    try:
        screen.act(page)
    except Exception as error:  # one screen less is no reason to have none
        sys.stderr.write(f"{screen.name}: {str(error).splitlines()[0]}\n")
    page.wait_for_timeout(400)
    return as_webp(page)


def as_webp(page: Page) -> bytes:
    """What a page shows."""
    debugger = page.context.new_cdp_session(page)
    said = {"format": "webp", "quality": _QUALITY}
    image = base64.b64decode(debugger.send("Page.captureScreenshot", said)["data"])
    debugger.detach()
    return image


def sheet(browser: Browser, name: str, taken: dict[tuple[str, int, str], bytes]) -> None:
    """All of a screen in one picture: light above, dark below."""
    images = "".join(
        f'<img alt="{escape(name)}" src="data:image/webp;base64,'
        f'{base64.b64encode(taken[name, width, theme]).decode()}">'
        for theme in THEMES
        for width in WIDTHS
    )
    context = browser.new_context(viewport={"width": 1600, "height": 1250})
    page = context.new_page()
    page.set_content(_SHEET + images)
    page.wait_for_timeout(200)
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": 1600, "height": height})
    (FOLDER / f"sheet-{name}.webp").write_bytes(as_webp(page))
    context.close()


if __name__ == "__main__":
    main()
