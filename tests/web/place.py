"""What people do again and again in tests of those who look after a place."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page

from tests.web.conftest import Member

Make = Callable[..., Member]
PLACE = "Willow Lane Garden"


def menu(one: Member) -> Page:
    """Open the menu of the place that is shown."""
    page = one.page
    page.get_by_role("navigation", name=f"Channels of {PLACE}").get_by_role(
        "button", name=PLACE
    ).click()
    return page


def settings(one: Member, title: str) -> Page:
    """Open a page of the settings of the place that is shown."""
    page = one.page
    if "/settings" not in page.url:
        menu(one).get_by_role("menuitem", name="Settings of this place").click()
    page.get_by_role("navigation", name=f"Settings of {PLACE}").get_by_role(
        "button", name=title, exact=True
    ).click()
    page.get_by_role("heading", name=title, exact=True, level=1).wait_for()
    return page


def back(one: Member, channel: str) -> None:
    """Go back from the settings to a channel."""
    one.page.get_by_role("button", name=f"Back to {PLACE}").click()
    one.page.get_by_role("button", name=channel, exact=True).click()


def step_inside(one: Member) -> None:
    one.page.get_by_role("button", name="Step inside", exact=True).click()
    one.page.get_by_role("navigation", name=f"Channels of {PLACE}").wait_for()


def pick(page: Page, what: str, option: str) -> None:
    """Choose in a field that finds by name."""
    page.get_by_role("button", name=what).click()
    page.get_by_role("option", name=option).first.click()


def permission(page: Page, name: str) -> Locator:
    return page.get_by_role("radiogroup", name=name, exact=True)


def decide(page: Page, name: str, what: str) -> None:
    """Press a sign of a permission, as the pointer does."""
    permission(page, name).get_by_title(what, exact=True).click()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save changes").click()
    page.get_by_role("button", name="Save changes").wait_for(state="detached")


def code_of(page: Page) -> str:
    """The code of the first row; a row has a text before it is painted."""
    return (
        page.get_by_role("main")
        .get_by_role("listitem")
        .first.locator("bdi.font-mono")
        .text_content()
        or ""
    )


def founded(member: Make, channel: str = "beds") -> tuple[Member, Member]:
    """Somebody who founded a place, and somebody who belongs to it."""
    return gathered(member("Ada"), member("Ken"), channel=channel)


def gathered(owner: Member, guest: Member, channel: str = "beds") -> tuple[Member, Member]:
    """Both come in, look at the same channel, and the place is the first one's."""
    theirs, other = owner.join(), guest.join()
    community = theirs.found(PLACE)["id"]
    path = f"/c/{community}/{theirs.open_channel(community, channel)['id']}"
    other.accept(theirs.invite(community))
    for one in (owner, guest):
        one.go(path)
    for one in (owner, guest):
        one.page.get_by_role("heading", name=channel, exact=True).wait_for()
    return owner, guest
