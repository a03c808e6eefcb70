"""What people set about themselves, in real browsers on the real platform."""

from __future__ import annotations

import json
import re

import pytest

from local.credentials import Credentials
from tests.auth.test_apps import BACK
from tests.e2e.readers import eventually
from tests.live import PASSWORD, Live, Person
from tests.web.conftest import link_of_mail
from tests.web.own import Make, prove, settings, sign_out, twin

pytestmark = pytest.mark.timeout(600)  # the first builds the app, and may install a browser
OTHER = "another battery staple"
PAGES = (
    "sign-in",
    "sessions",
    "profile",
    "privacy",
    "look",
    "data",
    "apps",
    "bots",
    "tokens",
    "server",
)


def test_a_session_is_ended_from_another_browser(member: Make) -> None:
    ada = member("Ada")
    ada.arrive()
    other, third = twin(ada, member), twin(ada, member)
    settings(ada, "sessions", "Sessions and devices")
    here = ada.page.get_by_role("list", name="This device")
    here.get_by_text("This one").wait_for()
    elsewhere = ada.page.get_by_role("list", name="Elsewhere").get_by_role("listitem")
    elsewhere.nth(1).wait_for()
    assert elsewhere.count() == 2
    ada.check_access()
    elsewhere.first.get_by_role("button", name="End").click()
    elsewhere.nth(1).wait_for(state="detached")
    # The latest is the first: it is led to the door, the other is not.
    third.page.get_by_role("heading", name="Welcome back").wait_for()
    other.page.reload()
    other.page.get_by_role("heading", name="Welcome, Ada").wait_for()
    third.sign_in()
    third.page.get_by_role("heading", name="Welcome, Ada").wait_for()
    ada.page.reload()
    ada.page.get_by_role("button", name="End all of them").click()
    ada.page.get_by_role("dialog").get_by_role("button", name="End all of them").click()
    ada.page.get_by_text("You are signed in nowhere else.").wait_for()
    for one in (other, third):
        one.page.get_by_role("heading", name="Welcome back").wait_for()


def test_another_password_signs_in_and_the_old_one_does_not(member: Make) -> None:
    ada = member("Ada")
    ada.arrive()
    other = twin(ada, member)
    settings(ada, "sign-in", "Signing in")
    ada.page.get_by_role("button", name="Change password").click()
    dialog = ada.page.get_by_role("dialog")
    dialog.get_by_label("Password until now").fill(PASSWORD)
    dialog.get_by_label("New password").fill(OTHER)
    ada.check_access()
    dialog.get_by_role("button", name="Change password").click()
    ada.page.get_by_text("Your password is changed.").wait_for()
    other.page.get_by_role("heading", name="Welcome back").wait_for()
    other.sign_in()
    other.page.get_by_text("The name and password").wait_for()
    other.sign_in(OTHER)
    other.page.get_by_role("heading", name="Welcome, Ada").wait_for()


def test_another_address_is_the_accounts_once_its_link_is_opened(member: Make, live: Live) -> None:
    ada = member("Ada")
    ada.arrive()
    settings(ada, "sign-in", "Signing in")
    ada.page.get_by_text("Not confirmed").wait_for()
    ada.go(link_of_mail(live, ada.email, "verify-email"))
    ada.page.get_by_role("button", name="It is mine").click()
    ada.page.get_by_text("This address is yours.").wait_for()
    settings(ada, "sign-in", "Signing in")
    address = ada.page.get_by_role("list", name="E-mail address")
    address.get_by_text("Yours").wait_for()
    address.get_by_text(ada.email).wait_for()
    new = f"new-{ada.email}"
    ada.page.get_by_role("button", name="Change address").click()
    ada.page.get_by_label("New address").fill(new)
    ada.check_access()
    prove(ada, "Send the link")
    ada.page.get_by_text(f"A link is on its way to {new}.").wait_for()
    address.get_by_text(ada.email, exact=True).wait_for()
    ada.go(link_of_mail(live, new, "verify-email"))
    ada.page.get_by_role("button", name="It is mine").click()
    ada.page.get_by_text("This address is yours.").wait_for()
    settings(ada, "sign-in", "Signing in")
    address.get_by_text(new).wait_for()
    sign_out(ada)
    ada.page.get_by_label("Handle or e-mail address").fill(new)
    ada.page.get_by_label("Password").fill(PASSWORD)
    ada.page.get_by_role("button", name="Sign in").click()
    ada.page.get_by_role("heading", name="Welcome, Ada").wait_for()


def test_a_profile_is_as_it_was_saved_at_once_in_every_window(member: Make, live: Live) -> None:
    ada = member("Ada")
    ada.arrive()
    settings(ada, "profile", "Profile")
    beside = ada.open()
    beside.goto(ada.page.url)
    beside.get_by_role("heading", name="Profile", exact=True).wait_for()
    ada.page.get_by_label("Name", exact=True).fill("Ada Lovelace")
    ada.page.get_by_label("What you are about").fill("On the train")
    ada.page.get_by_label("About you").fill("Slugs and <b>engines</b>.")
    ada.page.get_by_label("Who sees this").select_option(label="Only me")
    ada.check_access()
    ada.page.get_by_role("button", name="Save changes").click()
    ada.page.get_by_role("button", name="Save changes").wait_for(state="detached")
    beside.get_by_text("Ada Lovelace").wait_for()
    assert beside.get_by_label("What you are about").input_value() == "On the train"
    # Others see what they may.
    ken = live.sign_up("ken")
    seen = ken.do("GET", f"/v1/handles/{ada.handle}")
    assert (seen["display_name"], seen["status_text"]) == ("Ada Lovelace", "On the train")
    assert seen["bio"] == ""
    ada.page.get_by_label("Name", exact=True).fill("Somebody else")
    ada.page.get_by_role("button", name="Undo").click()
    assert ada.page.get_by_label("Name", exact=True).input_value() == "Ada Lovelace"


def test_another_handle_signs_in_and_the_next_has_to_wait(member: Make, live: Live) -> None:
    ada = member("Ada")
    ada.arrive()
    taken = live.sign_up("ken").handle
    new = f"{ada.handle}-2"
    settings(ada, "profile", "Profile")
    for wanted, said in ((taken, "This handle is taken"), (new, ""), (f"{new}-3", "14 days")):
        ada.page.get_by_role("button", name="Change handle").click()
        ada.page.get_by_role("dialog").get_by_label("New handle").fill(wanted)
        ada.check_access()
        prove(ada, "Change handle")
        if said:
            ada.page.get_by_role("dialog").get_by_role("alert").get_by_text(said).wait_for()
            ada.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        else:
            ada.page.get_by_role("main").get_by_text(f"@{new}").first.wait_for()
        ada.page.get_by_role("dialog").wait_for(state="detached")
    ada.handle = new
    sign_out(ada)
    ada.sign_in()
    ada.page.get_by_role("heading", name="Welcome, Ada").wait_for()


def test_who_is_blocked_is_listed_in_every_window_until_it_is_taken_back(
    member: Make, live: Live
) -> None:
    ada = member("Ada")
    ada.arrive()
    ken = live.sign_up("ken")
    ada.found("Willow Lane Garden", "beds")
    there = live.sign_in(ada.handle)
    ken.accept(there.invite(there.do("GET", "/v1/communities")["communities"][0]["id"]))
    beside = ada.open()
    beside.goto(ada.page.url.split("/c/")[0] + "/settings/privacy")
    beside.get_by_text("You have blocked nobody.").wait_for()
    ada.page.get_by_role("button", name="People").click()
    ada.page.get_by_role("button", name="Profile of Ken").click()
    profile = ada.page.get_by_role("dialog", name="Profile of Ken")
    profile.get_by_role("button", name="Block").click()
    ada.check_access()
    profile.get_by_role("button", name="Block").click()
    profile.get_by_text("You blocked them.").wait_for()
    beside.get_by_role("button", name="Unblock Ken").click()
    beside.get_by_text("You have blocked nobody.").wait_for()
    profile.get_by_role("button", name="Write a message").wait_for()
    beside.get_by_label("Block by handle").fill("@nobody-by-this-name")
    beside.get_by_role("button", name="Block", exact=True).click()
    beside.get_by_text("Nobody you could block has this handle.").wait_for()
    beside.get_by_label("Block by handle").fill(f"@{ken.handle}")
    beside.get_by_role("button", name="Block", exact=True).click()
    beside.get_by_role("button", name="Unblock Ken").wait_for()
    profile.get_by_text("You blocked them.").wait_for()
    assert there.do("GET", "/v1/users/me/blocks")["blocks"][0]["user_id"] == ken.id


def test_nobody_begins_to_write_to_who_does_not_want_it(member: Make, live: Live) -> None:
    ada = member("Ada")
    ada.arrive()
    ken, there = live.sign_up("ken"), live.sign_in(ada.handle)

    def kept(value: str) -> None:
        def said() -> bool:
            found = there.do("GET", "/v1/users/me/settings")
            return bool(found["direct_messages"] == value)

        eventually(said, 10, f"{value} to be kept")

    settings(ada, "privacy", "Privacy")
    ada.page.get_by_role("radio", name="Nobody").check()
    kept("DIRECT_MESSAGES_NOBODY")
    asked = ken.ask("POST", "/v1/conversations", json={"user_ids": [there.id]})
    assert not asked.is_success
    ada.page.reload()
    ada.page.locator("label").filter(has=ada.page.locator(":checked")).get_by_text(
        "Nobody"
    ).wait_for()
    ada.page.get_by_role("radio", name="Everybody here").check()
    kept("DIRECT_MESSAGES_UNSPECIFIED")
    ken.do("POST", "/v1/conversations", json={"user_ids": [there.id]})


def test_how_things_look_is_the_same_on_all_devices(member: Make) -> None:
    ada = member("Ada")
    ada.arrive()
    other = twin(ada, member)
    settings(ada, "look", "Appearance")
    ada.page.get_by_label("Dark").check()
    ada.page.get_by_label("Compact").check()
    ada.page.get_by_label("Move as little as possible").check()
    look = "() => ['theme', 'density', 'motion'].map(it => document.documentElement.dataset[it])"
    wanted = ["dark", "compact", "less"]
    assert ada.page.evaluate(look) == wanted
    other.page.wait_for_function(f"wanted => `${{({look})()}}` === `${{wanted}}`", arg=wanted)
    third = twin(ada, member)
    third.page.wait_for_function(f"wanted => `${{({look})()}}` === `${{wanted}}`", arg=wanted)
    ada.page.get_by_label("العربية").click()
    other.page.get_by_role("heading", name="مرحبًا").wait_for()
    ada.check_access()


def test_a_token_is_shown_once_and_refused_once_it_ended(member: Make, live: Live) -> None:
    ada = member("Ada")
    ada.arrive()
    settings(ada, "tokens", "Tokens")
    ada.page.get_by_role("button", name="New token").click()
    ada.page.get_by_role("dialog").get_by_label("Name").fill("Backup")
    ada.check_access()
    prove(ada, "Make the token")
    secret = ada.page.get_by_role("dialog").get_by_label("The token", exact=True).inner_text()
    program = Person(live, ada.handle, {"access_token": secret, "user": {}})
    assert program.do("GET", "/v1/users/me")["handle"] == ada.handle
    assert program.ask("POST", "/v1/communities", json={"name": "x"}).status_code == 403
    ada.page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    ada.page.reload()
    ada.page.get_by_role("button", name="End Backup").click()
    ada.page.get_by_role("dialog").get_by_role("button", name="End", exact=True).click()
    ada.page.get_by_text("You have none.").wait_for()
    assert program.ask("GET", "/v1/users/me").status_code == 401


def test_a_bot_is_made_given_a_token_and_deleted(member: Make, live: Live) -> None:
    ada = member("Ada")
    ada.arrive()
    settings(ada, "bots", "Bots")
    ada.page.get_by_role("button", name="New bot").click()
    dialog = ada.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Herald")
    dialog.get_by_label("Handle").fill(f"{ada.handle}-bot")
    dialog.get_by_role("button", name="Make the bot").click()
    ada.page.get_by_role("button", name="A token for Herald").click()
    prove(ada, "Make the token")
    secret = dialog.get_by_label("The token", exact=True).inner_text()
    bot = Person(live, "", {"access_token": secret, "user": {}})
    assert bot.do("GET", "/v1/users/me")["display_name"] == "Herald"
    dialog.get_by_role("button", name="Close").last.click()
    ada.page.get_by_role("button", name="Rename Herald").click()
    dialog.get_by_label("Name").fill("Crier")
    dialog.get_by_role("button", name="Save").click()
    ada.page.get_by_role("button", name="Delete Crier").click()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    ada.page.get_by_text("You have made none.").wait_for()
    assert bot.ask("GET", "/v1/users/me").status_code == 401


def test_an_app_is_made_and_its_secret_is_shown_once(member: Make) -> None:
    ada = member("Ada")
    ada.arrive()
    settings(ada, "apps", "Apps")
    ada.page.get_by_role("button", name="New app").click()
    dialog = ada.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Clocks")
    dialog.get_by_label("Where people are sent back to").fill("https://*.example.org/")
    prove(ada, "Make the app")
    dialog.get_by_text("One of the addresses cannot be used.").wait_for()
    dialog.get_by_label("Where people are sent back to").fill(BACK)
    ada.check_access()
    prove(ada, "Make the app")
    shown = dialog.get_by_role("group", name=re.compile("The app.s secret"))
    secret = shown.inner_text()
    dialog.get_by_role("button", name="Close").last.click()
    ada.page.get_by_role("button", name="A new secret for Clocks").click()
    prove(ada, "New secret")
    assert shown.inner_text() != secret
    dialog.get_by_role("button", name="Close").last.click()
    ada.page.get_by_role("button", name="Delete Clocks").click()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    ada.page.get_by_text("You have made none.").wait_for()


def test_everything_that_is_kept_of_somebody_is_saved_to_a_file(member: Make, live: Live) -> None:
    ada = member("Ada")
    # A browser that lets nobody choose a file hands one over.
    ada.page.add_init_script("delete globalThis.showSaveFilePicker")
    ada.arrive()
    ada.found("Willow Lane Garden", "beds")
    ada.write("Morning all.")
    ada.page.get_by_text("Sending…").wait_for(state="detached")
    settings(ada, "data", "Your data")
    ada.check_access()
    with ada.page.expect_download() as saved:
        ada.page.get_by_role("button", name="Save my data").click()
    records = json.loads(saved.value.path().read_text())
    ada.page.get_by_text(f"Saved: {len(records)} records").wait_for()
    assert {"auth", "chat", "community", "user"} <= {one["service"] for one in records}
    assert "Morning all." in json.dumps(records)


def test_an_account_that_was_deleted_signs_nobody_in(member: Make, live: Live) -> None:
    ada = member("Ada")
    ada.arrive()
    ada.found("Willow Lane Garden", "beds")
    there, ken = live.sign_in(ada.handle), live.sign_up("ken")
    community = there.do("GET", "/v1/communities")["communities"][0]["id"]
    ken.accept(there.invite(community))
    settings(ada, "data", "Your data")
    ada.page.get_by_role("button", name="Delete my account").click()
    ada.check_access()
    prove(ada, "Delete my account")
    ada.page.get_by_text("You own a community others belong to. Give it").wait_for()
    there.do("POST", f"/v1/communities/{community}:transfer", json={"user_id": ken.id})
    prove(ada, "Delete my account")
    ada.page.get_by_role("heading", name="Welcome back").wait_for()
    ada.sign_in()
    ada.page.get_by_text("The name and password").wait_for()


def test_an_account_that_rests_is_back_when_its_person_signs_in(member: Make, live: Live) -> None:
    ada = member("Ada")
    ada.arrive()
    settings(ada, "data", "Your data")
    ada.page.get_by_role("button", name="Deactivate", exact=True).click()
    ada.check_access()
    prove(ada, "Deactivate")
    ada.page.get_by_role("heading", name="Welcome back").wait_for()
    ken = live.sign_up("ken")
    assert ken.do("GET", f"/v1/handles/{ada.handle}")["deactivated"] is True
    ada.sign_in()
    ada.page.get_by_role("heading", name="Welcome, Ada").wait_for()
    assert ken.do("GET", f"/v1/handles/{ada.handle}")["deactivated"] is False


@pytest.mark.parametrize("width", [1440, 820, 360])
def test_settings_fit_every_screen(member: Make, width: int) -> None:
    ada = member("Ada", viewport={"width": width, "height": 780})
    ada.arrive()
    for page in PAGES:
        ada.go(f"/settings/{page}")
        ada.page.locator("main h2, main fieldset").first.wait_for()
        assert ada.page.evaluate("document.documentElement.scrollWidth") <= width, page
        ada.check_access()


def test_who_looks_after_the_server_says_who_may_come(member: Make, live: Live) -> None:
    ada, ken = member("Ada"), member("Ken")
    ada.arrive()
    ken.arrive()
    settings(ada, "server", "This server")
    page = ada.page
    page.get_by_label("Code").fill("not the code")
    page.get_by_role("button", name="Take it over").click()
    page.get_by_text("This is not the code").wait_for()
    page.get_by_label("Code").fill(Credentials(live.home.secrets).password("claim_code"))
    page.get_by_role("button", name="Take it over").click()
    page.get_by_label("Handle").fill(ken.handle)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("list", name="Who looks after it").get_by_text("Ken").wait_for()
    ada.check_access()
    page.get_by_role("button", name="New code").click()
    page.get_by_text("0 of 1 used").wait_for()
    page.get_by_label("Who may sign up").select_option("Whoever has a sign-up code")
    page.get_by_role("button", name="Save", exact=True).click()
    mia = member("Mia")
    mia.go("/sign-up")
    mia.page.get_by_label("Sign-up code").wait_for()
    page.get_by_label("Who may sign up").select_option("Anybody")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Take away: Ken").click()
    page.get_by_role("button", name="Take away", exact=True).click()
    page.get_by_text("Ken", exact=True).wait_for(state="detached")
