"""What people do again and again in tests of their settings."""

from __future__ import annotations

from collections.abc import Callable

from tests.live import PASSWORD
from tests.web.conftest import Member

Make = Callable[..., Member]


def settings(member: Member, page: str, title: str) -> None:
    """Look at a page of one's settings."""
    member.go(f"/settings/{page}")
    member.page.get_by_role("heading", name=title, exact=True, level=1).wait_for()


def prove(member: Member, submit: str, password: str = PASSWORD) -> None:
    """Say once more who it is."""
    dialog = member.page.get_by_role("dialog")
    dialog.get_by_label("Your password").fill(password)
    dialog.get_by_role("button", name=submit, exact=True).click()


def sign_out(member: Member) -> None:
    member.go("/")
    member.page.get_by_role("button", name=f"You: {member.name}").click()
    member.page.get_by_role("menuitem", name="Sign out").click()
    member.page.get_by_role("heading", name="Welcome back").wait_for()


def twin(member: Member, make: Make) -> Member:
    """The same person at another browser, signed in."""
    other = make(member.name)
    other.handle, other.email = member.handle, member.email
    other.go("/sign-in")
    other.sign_in()
    other.page.get_by_role("heading", name=f"Welcome, {member.name}").wait_for()
    return other
