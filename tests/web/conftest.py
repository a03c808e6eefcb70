"""The web app, built, on a platform that runs, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from email import message_from_bytes
from email.policy import default
import os
from pathlib import Path
import re
from typing import Any
from urllib.parse import urlsplit
import uuid

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
import pytest

from tests.e2e.readers import eventually
from tests.live import PASSWORD, Live, Person, running
from tests.web.chromium import QUIET, find
from tools import web

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
WITHIN = 30_000
"""Milliseconds that anything on a page may take; other machines are slower."""
expect.set_options(timeout=WITHIN)


@pytest.fixture(scope="session")
def app() -> Path:
    """The built app."""
    web.build(ROOT)
    return ROOT / web.OUT


@pytest.fixture(scope="session")
def chromium() -> str:
    """A Chromium, installed where that can be done."""
    found = find()
    if found is None:
        missing = pytest.fail if os.environ.get("CREAVIO_BROWSER") == "required" else pytest.skip
        missing("needs a Chromium: apt install chromium")
    return found


@pytest.fixture(scope="module")
def live(app: Path) -> Iterator[Live]:
    """A platform that serves the app."""
    with running() as platform:
        yield platform


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        browser.close()


class Member:
    """A person at a browser of their own; what goes wrong on the page fails the test."""

    def __init__(self, context: BrowserContext, live: Live, name: str) -> None:
        self.name = name
        self.handle = f"member-{uuid.uuid4().hex[:8]}"
        self.email = f"{self.handle}@example.org"
        self.wrong: list[str] = []
        self._context = context
        self._live = live
        # The name that cookies are for.
        self._url = live.url.replace("127.0.0.1", "localhost")
        self.page = self.open()

    def open(self) -> Page:
        """Another page of the same browser."""
        page = self._context.new_page()
        page.set_default_timeout(WITHIN)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on(
            "console",
            lambda said: (
                self.wrong.append(said.text) if "Content Security Policy" in said.text else None
            ),
        )
        return page

    def go(self, path: str) -> None:
        self.page.goto(self._url + path)

    def sign_in(self, password: str = PASSWORD) -> None:
        page = self.page
        page.get_by_label("Handle or e-mail address").fill(self.handle)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()

    def sign_up(self, path: str = "/sign-up") -> None:
        self.go(path)
        page = self.page
        page.get_by_label("Name", exact=True).fill(self.name)
        page.get_by_label("Handle", exact=True).fill(self.handle)
        page.get_by_label("E-mail address").fill(self.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Make my account").click()
        page.get_by_role("heading", name=f"Welcome, {self.name}").wait_for()

    def join(self) -> Person:
        """Sign up without the form; the browser holds the session, and so does who it returns."""
        reply = self._context.request.post(
            f"{self._url}/v1/accounts",
            data={
                "handle": self.handle,
                "email": self.email,
                "password": PASSWORD,
                "display_name": self.name,
            },
            # As a page of ours says it.
            headers={"creavio-refresh-token": "cookie", "sec-fetch-site": "same-origin"},
        )
        assert reply.ok, reply.text()
        return Person(self._live, self.handle, reply.json())

    def arrive(self) -> Person:
        """Sign up without the form, and be welcomed."""
        person = self.join()
        self.go("/")
        self.page.get_by_role("heading", name=f"Welcome, {self.name}").wait_for()
        return person

    def found(self, name: str, channel: str) -> None:
        page = self.page
        page.get_by_label("Name of the place").fill(name)
        page.get_by_role("button", name="Start it").click()
        page.get_by_role("button", name="New channel").click()
        page.get_by_label("Name of the channel").fill(channel)
        page.get_by_role("button", name="Open channel").click()
        page.get_by_role("heading", name=channel, exact=True).wait_for()

    def invite(self, place: str) -> str:
        """An invitation's path."""
        page = self.page
        page.get_by_role("navigation", name=f"Channels of {place}").get_by_role(
            "button", name=place
        ).click()
        page.get_by_role("menuitem", name="Invite people").click()
        page.get_by_role("dialog").get_by_role("button", name="Invite people").click()
        link = page.get_by_role("textbox", name="Invite people").input_value()
        page.get_by_role("dialog").get_by_role("button", name="Close").click()
        return link.removeprefix(self._url)

    def write(self, text: str) -> None:
        field = self.page.get_by_role("textbox", name="Write to")
        field.fill(text)
        field.press("Enter")

    def say(self, text: str) -> None:
        """Write, and wait until it was taken."""
        self.write(text)
        expect(self.page.get_by_text("Sending…")).to_have_count(0)

    def has_said(self, texts: Iterable[str]) -> None:
        """Say much in the room that is shown, sooner than one types; all of it was taken."""
        person, channel = self._live.sign_in(self.handle), self.path().split("/")[3]
        for text in texts:
            person.send(channel, text)

    def does(self, text: str, action: str) -> None:
        """Something with the message that says this."""
        row = self.page.get_by_role("log").get_by_role("article").filter(has_text=text)
        row.hover()
        row.get_by_role("button", name="More", exact=True).click()
        self.page.get_by_role("menuitem", name=action).click()

    def path(self) -> str:
        """Where the page is."""
        return urlsplit(self.page.url).path

    def sees(self, text: str) -> None:
        self.page.get_by_role("log").get_by_text(text).first.wait_for()

    def check_access(self) -> None:
        """Fails the test when axe finds anything, in either theme."""
        for theme in ("light", "dark"):
            # As the system says it: the app would set right what somebody else sets.
            self.page.emulate_media(color_scheme=theme)
            self.page.evaluate(
                "() => { const painted = () => new Promise(requestAnimationFrame);"
                " return painted().then(painted).then(painted); }"
            )
            # By the debugger: a script of the page would be refused by its policy.
            self.page.evaluate(AXE.read_text())
            tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
            found = self.page.evaluate(
                "tags => axe.run({ runOnly: { type: 'tag', values: tags } })"
                ".then(it => it.violations.map("
                "v => [v.id, v.nodes.map(n => [n.html, n.failureSummary])]))",
                tags,
            )
            assert found == [], theme


@pytest.fixture
def member(browser: Browser, live: Live) -> Iterator[Callable[..., Member]]:
    """Makes people, each with a browser of their own."""
    made: list[tuple[Member, BrowserContext]] = []

    def make(
        name: str, without: tuple[str, ...] = (), *, live: Live = live, **options: Any
    ) -> Member:
        usual: dict[str, Any] = {
            "viewport": {"width": 1440, "height": 900},
            "reduced_motion": "reduce",
        }
        context = browser.new_context(**{**usual, **options})
        for lacking in without:
            context.add_init_script(f"delete window.{lacking}")
        one = Member(context, live, name)
        made.append((one, context))
        return one

    yield make
    for one, context in made:
        context.close()
        assert one.wrong == []


def link_of_mail(live: Live, address: str, page: str) -> str:
    """The path of the latest link to one of the app's pages in mails to an address."""
    found: list[str] = []

    def arrived() -> bool:
        for file in sorted(live.home.mail.glob("*.eml"), key=lambda one: one.stat().st_mtime):
            mail = message_from_bytes(file.read_bytes(), policy=default)
            body = mail.get_body(("plain",))
            if mail["to"] == address and body is not None:
                found.extend(re.findall(rf"(/{page}#token=\S+)", body.get_content()))
        return bool(found)

    eventually(arrived, 30, f"a mail to {address}")
    return found[-1]
