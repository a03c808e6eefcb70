"""What people do, in real browsers on the real platform."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.live import Live
from tests.web.chromium import held
from tests.web.conftest import WITHIN, Member, link_of_mail

pytestmark = pytest.mark.timeout(600)  # the first builds the app, and may install a browser
Make = Callable[..., Member]
PLACE = "Willow Lane Garden"


def test_a_newcomer_founds_a_place_and_talks_with_who_was_invited(member: Make) -> None:
    ada, ken = member("Ada Lovelace"), member("Kenji Watanabe", color_scheme="dark")
    ada.go("/sign-up")
    ada.check_access()
    ada.sign_up()
    ada.check_access()
    ada.found(PLACE, "beds")
    ada.write("Morning all. **Slugs** have found the brassicas.")
    ada.sees("have found the brassicas")
    ken.sign_up(ada.invite(PLACE))
    ken.page.get_by_role("button", name="Step inside", exact=True).click()
    ken.page.get_by_role("button", name="beds").click()
    ken.sees("have found the brassicas")
    assert ken.page.locator("strong", has_text="Slugs").count() == 1
    ken.write("Copper tape worked for me.")
    ada.sees("Copper tape worked for me.")
    ada.check_access()
    # Reloaded, everything is there: the browser kept the session, no script could read it.
    assert "refresh" not in ada.page.evaluate("document.cookie + JSON.stringify(localStorage)")
    ada.page.reload()
    ada.sees("Copper tape worked for me.")


def test_what_somebody_else_writes_elsewhere_is_unread_until_it_is_looked_at(member: Make) -> None:
    ada, ken = member("Ada"), member("Ken")
    ada.sign_up()
    ada.found(PLACE, "beds")
    ken.sign_up(ada.invite(PLACE))
    ken.page.get_by_role("button", name="Step inside", exact=True).click()
    ken.page.get_by_role("button", name="beds").wait_for()
    ken.page.get_by_role("button", name="Home").click()
    ada.write("Is anybody there?")
    unread = ken.page.get_by_role("button", name=f"{PLACE}, unread")
    unread.wait_for()
    unread.click()
    ken.page.get_by_role("button", name="beds").click()
    ken.sees("Is anybody there?")
    ken.page.get_by_role("button", name=PLACE, exact=True).first.wait_for()


def test_what_is_written_offline_arrives_once_when_the_connection_is_back(member: Make) -> None:
    ada, ken = member("Ada"), member("Ken")
    ada.sign_up()
    ada.found(PLACE, "beds")
    ken.sign_up(ada.invite(PLACE))
    ken.page.get_by_role("button", name="Step inside", exact=True).click()
    ken.page.get_by_role("button", name="beds").click()
    ada.write("Before")
    ken.sees("Before")
    ken.page.context.set_offline(True)
    ken.write("From the train")
    ken.page.get_by_text("Sending…").or_(ken.page.get_by_text("Will be sent")).wait_for()
    assert ada.page.get_by_text("From the train").count() == 0
    ken.page.context.set_offline(False)
    ada.sees("From the train")
    ken.page.get_by_text("Sending…").wait_for(state="detached")
    assert ada.page.get_by_role("log").get_by_text("From the train").count() == 1
    assert ken.page.get_by_role("log").get_by_text("From the train").count() == 1


def test_hostile_text_is_text(member: Make) -> None:
    ada = member("<img src=x onerror=alert(1)>")
    ada.sign_up()
    ada.found("<b>bold</b>", "beds")
    said = [
        '<script>document.title = "taken"</script>',
        "<img src=x onerror=\"document.title='taken'\">",
        "[click](javascript:document.title='taken')",
        "![image](https://example.org/track.png)",
        "W" * 3900,
        "Z̸̡̢̛̭̻͕͓͒͑͗" * 200,
        "\u202egnp.exe\u202c and after",
    ]
    for text in said:
        ada.write(text)
    ada.sees("and after")
    ada.page.get_by_text("Sending…").wait_for(state="detached")
    assert ada.page.title() == "Creavio"
    log = ada.page.get_by_role("log")
    assert log.locator("script, img, iframe").count() == 0
    assert log.locator("a[href^='javascript']").count() == 0
    box = log.evaluate("it => [it.scrollWidth, it.clientWidth]")
    assert box[0] <= box[1], "something is wider than the page"


def test_a_session_that_is_ended_elsewhere_leads_to_the_door(member: Make) -> None:
    ada = member("Ada")
    ada.sign_up()
    other = ada.open()
    other.goto(ada.page.url)
    other.get_by_role("heading", name="Welcome").wait_for()
    other.get_by_role("button", name="You: Ada").click()
    other.get_by_role("menuitem", name="Sign out").click()
    other.get_by_role("heading", name="Welcome back").wait_for()
    ada.page.get_by_role("heading", name="Welcome back").wait_for(timeout=WITHIN)
    ada.sign_in("not it at all")
    ada.page.get_by_text("The name and password").wait_for()
    ada.sign_in()
    ada.page.get_by_role("heading", name="Welcome, Ada").wait_for()


def test_arabic_is_read_from_right_to_left(member: Make) -> None:
    ada = member("Ada", locale="ar")
    ada.go("/sign-in")
    ada.page.get_by_role("heading", name="أهلًا بعودتك").wait_for()
    assert ada.page.evaluate("document.documentElement.dir") == "rtl"
    ada.check_access()


def test_a_phone_shows_one_thing_at_a_time(member: Make) -> None:
    ada = member("Ada", viewport={"width": 360, "height": 780}, has_touch=True)
    ada.sign_up()
    ada.found(PLACE, "beds")
    ada.write("On the phone")
    ada.sees("On the phone")
    assert ada.page.evaluate("document.documentElement.scrollWidth") == 360
    # However little was said: the room is all of the screen.
    box = ada.page.get_by_role("main").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 360, "height": 780}
    ada.check_access()
    with held(ada.page.get_by_role("article").filter(has_text="On the phone")):
        ada.page.get_by_role("menuitem", name="Reply").wait_for()
    # A finger that is lifted chooses nothing, and closes nothing.
    ada.page.get_by_role("menuitem", name="Reply").tap()
    ada.page.get_by_text("Replying to Ada").wait_for()
    ada.page.keyboard.press("Escape")
    ada.page.locator("header").get_by_role("button", name="More", exact=True).click()
    ada.page.get_by_role("dialog").get_by_role("button", name="People").click()
    ada.page.get_by_text("Here now, 1").wait_for()
    ada.page.get_by_role("dialog").wait_for(state="detached")
    ada.page.get_by_role("button", name="Close").click()
    ada.page.get_by_role("button", name="Back").click()
    ada.page.get_by_role("button", name="beds").wait_for()
    ada.check_access()


def test_who_wrote_can_be_written_to_alone(member: Make) -> None:
    ada, ken = member("Ada"), member("Ken")
    ada.sign_up()
    ada.found(PLACE, "beds")
    ada.write("Ask me anything")
    ken.sign_up(ada.invite(PLACE))
    ken.page.get_by_role("button", name="Step inside", exact=True).click()
    ken.page.get_by_role("button", name="beds").click()
    ken.sees("Ask me anything")
    ken.page.get_by_role("button", name="Profile of Ada").click()
    ken.check_access()
    ken.page.get_by_role("button", name="Write a message").click()
    ken.page.get_by_role("heading", name="Ada", exact=True).wait_for()
    ken.write("How are the slugs?")
    ada.page.get_by_role("button", name="Direct messages, 1 mentions").click()
    ada.page.get_by_role("button", name="Ken").first.click()
    ada.sees("How are the slugs?")


def test_an_address_is_verified_by_the_link_in_a_mail_once(member: Make, live: Live) -> None:
    ada = member("Ada")
    ada.sign_up()
    link = link_of_mail(live, ada.email, "verify-email")
    ada.go(link)
    ada.check_access()
    ada.page.get_by_role("button", name="It is mine").click()
    ada.page.get_by_text("This address is yours.").wait_for()
    again = ada.open()
    again.goto(ada.page.url)
    again.get_by_role("button", name="It is mine").click()
    again.get_by_text("This link is over").wait_for()


def test_a_forgotten_password_is_replaced_by_a_link_in_a_mail(member: Make, live: Live) -> None:
    ada = member("Ada")
    ada.sign_up()
    ada.go(link_of_mail(live, ada.email, "verify-email"))
    ada.page.get_by_role("button", name="It is mine").click()
    ada.page.get_by_text("This address is yours.").wait_for()
    elsewhere = member("Ada")
    elsewhere.handle = ada.handle
    elsewhere.go("/sign-in")
    elsewhere.page.get_by_role("link", name="Forgot it?").click()
    elsewhere.page.get_by_label("E-mail address").fill(ada.email)
    elsewhere.page.get_by_role("button", name="Send the link").click()
    elsewhere.page.get_by_text("the link is on its way").wait_for()
    elsewhere.go(link_of_mail(live, ada.email, "reset-password"))
    elsewhere.check_access()
    elsewhere.page.get_by_label("Password").fill("another battery staple")
    elsewhere.page.get_by_role("button", name="Keep this password").click()
    elsewhere.page.get_by_text("Your password is changed.").wait_for()
    elsewhere.page.get_by_role("link", name="Sign in").click()
    elsewhere.sign_in("another battery staple")
    elsewhere.page.get_by_role("heading", name="Welcome, Ada").wait_for()
    # Whoever was signed in before is not.
    ada.go("/")
    ada.page.get_by_role("heading", name="Welcome back").wait_for()


def test_people_are_listed_as_they_come_and_go(member: Make) -> None:
    ada, ken = member("Ada"), member("Ken")
    ada.sign_up()
    ada.found(PLACE, "beds")
    ada.page.get_by_role("button", name="People").click()
    people = ada.page.get_by_role("complementary", name="People")
    people.get_by_role("button", name="Profile of Ada").wait_for()
    ken.sign_up(ada.invite(PLACE))
    ken.page.get_by_role("button", name="Step inside", exact=True).click()
    theirs = people.get_by_role("button", name="Profile of Ken")
    theirs.wait_for()
    ada.check_access()
    ken.page.get_by_role("navigation", name=f"Channels of {PLACE}").get_by_role(
        "button", name=PLACE
    ).click()
    ken.page.get_by_role("menuitem", name="Leave this place").click()
    ken.page.get_by_role("dialog").get_by_role("button", name="Leave this place").click()
    theirs.wait_for(state="detached")
    ken.page.get_by_role("heading", name="Welcome, Ken").wait_for()
