"""What those do who look after a place, in real browsers on the real platform."""

from __future__ import annotations

from datetime import datetime, timedelta

from playwright.sync_api import expect
import pytest

from tests.live import Live
from tests.web.place import (
    PLACE,
    Make,
    back,
    code_of,
    decide,
    founded,
    menu,
    permission,
    pick,
    save,
    settings,
    step_inside,
)

pytestmark = pytest.mark.timeout(600)  # the first builds the app, and may install a browser


def test_a_role_is_made_given_seen_at_work_elsewhere_and_taken_away(member: Make) -> None:
    ada, ken = founded(member)
    entry = menu(ken).get_by_role("menuitem", name="Settings of this place")
    ken.page.get_by_role("menuitem", name="Events").wait_for()
    assert entry.count() == 0, "nothing there is for who may do nothing"
    ken.page.keyboard.press("Escape")
    page = settings(ada, "Roles")
    page.get_by_role("button", name="New role").click()
    page.get_by_label("Name of the role").fill("Gardener")
    page.get_by_role("dialog").get_by_label("Colour 5").check(force=True)
    ada.check_access()
    page.get_by_role("button", name="Make the role").click()
    page.get_by_role("heading", name="Gardener", level=2).wait_for()
    decide(page, "Look after the channels", "Allow")
    page.get_by_text("1 change not saved").wait_for()
    ada.check_access()
    save(page)
    page.get_by_role("button", name="See people").click()
    pick(page, "Give it to", "Ken")
    page.get_by_role("button", name="Give the role").click()
    taken = page.get_by_role("button", name="Take it away from Ken")
    taken.wait_for()
    ada.check_access()
    # It works in the other browser, where nothing was loaded again.
    theirs = settings(ken, "Channels")
    theirs.get_by_role("button", name="New channel").click()
    theirs.get_by_label("Name of the channel").fill("compost")
    theirs.get_by_role("button", name="Open channel").click()
    theirs.get_by_role("heading", name="compost", level=2).wait_for()
    assert theirs.get_by_role("button", name="Roles", exact=True).count() == 0
    taken.click()
    page.get_by_text("Nobody has this role yet.").wait_for()
    expect(theirs.get_by_role("button", name="Channels", exact=True)).to_have_count(0)
    page.get_by_role("button", name="More for Gardener").click()
    page.get_by_role("menuitem", name="Delete the role").click()
    page.get_by_role("dialog").get_by_text("0 people lose what it allows").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Delete the role").click()
    expect(page.get_by_role("button", name="Gardener")).to_have_count(0)


def test_roles_are_put_in_order_by_keyboard_and_those_above_stay(member: Make) -> None:
    ada, ken = founded(member)
    page = settings(ada, "Roles")
    for name in ("Watering", "Tools", "Keeper"):
        page.get_by_role("button", name="New role").click()
        page.get_by_label("Name of the role").fill(name)
        page.get_by_role("button", name="Make the role").click()
        page.get_by_role("heading", name=name, level=2).wait_for()
    roles = page.get_by_role("list", name="Roles, highest first").get_by_role("button")
    keeper = roles.filter(has_text="Keeper")
    keeper.focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    order = ["Owner", "Keeper", "Watering", "Tools", "Everyone"]
    expect(roles).to_contain_text(order)
    expect(keeper).to_be_focused()
    page.get_by_text("Keeper, now 1 of 3").wait_for()
    expect(page.get_by_role("list", name="Roles, highest first")).not_to_have_attribute(
        "aria-busy", "true"
    )
    page.reload()
    expect(roles).to_contain_text(order)
    # Who is given the highest may change those below, and nothing that they lack.
    keeper.click()
    decide(page, "Look after the roles", "Allow")
    save(page)
    page.get_by_role("button", name="See people").click()
    pick(page, "Give it to", "Ken")
    page.get_by_role("button", name="Give the role").click()
    page.get_by_role("button", name="Take it away from Ken").wait_for()
    theirs = settings(ken, "Roles")
    theirs.get_by_role("button", name="Keeper").click()
    theirs.get_by_text("This role is not below your own").wait_for()
    theirs.get_by_role("button", name="Tools").click()
    theirs.get_by_text("what you don").first.wait_for()
    expect(permission(theirs, "Ban people").get_by_label("Allow")).to_be_disabled()
    expect(permission(theirs, "Write messages").get_by_label("Allow")).to_be_enabled()
    ken.check_access()


def test_an_override_is_explained_and_undone(member: Make) -> None:
    ada, ken = founded(member)
    ken.page.get_by_role("button", name="beds", exact=True).click()
    ken.write("May I?")
    ada.sees("May I?")
    page = settings(ada, "Channels")
    page.get_by_role("button", name="beds", exact=True).click()
    page.get_by_role("button", name="Everyone as in the whole place").click()
    decide(page, "Write messages", "Deny")
    save(page)
    ada.check_access()
    page.get_by_role("button", name="Explain why").last.click()
    panel = page.get_by_role("complementary", name="Explain why")
    panel.get_by_text("No, the channel says so").wait_for()
    panel.get_by_text("#beds denies it to Everyone").wait_for()
    panel.get_by_role("button", name="Who: Ken").wait_for()
    ada.check_access()
    panel.get_by_role("button", name="Allow Everyone in #beds").click()
    decide(page, "Write messages", "Inherit")
    save(page)
    panel.get_by_text("Yes, Everyone allows it").wait_for()
    ken.write("Now I may")
    back(ada, "beds")
    ada.sees("Now I may")


def test_channels_are_put_in_order_by_keyboard_alone(member: Make) -> None:
    ada, ken = founded(member, "one")
    page = settings(ada, "Channels")
    for name in ("two", "three"):
        page.get_by_role("button", name="New channel").click()
        page.get_by_role("dialog").get_by_label("Name of the channel").fill(name)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name=name, level=2).wait_for()
    page.get_by_role("button", name="New category").click()
    page.get_by_label("Name of the category").fill("Shed")
    page.keyboard.press("Enter")
    listed = page.get_by_role("navigation", name="Channels", exact=True)
    listed.get_by_role("button", name="Shed", exact=True).wait_for()
    three = listed.get_by_role("button", name="three")
    three.focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    expect(three).to_be_focused()
    one = listed.get_by_role("button", name="one")
    one.focus()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    page.get_by_text("one, now 1 of 1 in Shed").wait_for()
    expect(one).to_be_focused()
    shed = listed.get_by_role("region", name="Shed")
    for _ in range(2):
        expect(shed.get_by_role("listitem")).to_contain_text(["one"])
        rest = listed.get_by_role("region", name="No category").get_by_role("listitem")
        expect(rest).to_contain_text(["three", "two"])
        # What was moved stays moved.
        expect(listed).not_to_have_attribute("aria-busy", "true")
        page.reload()
    page.get_by_role("heading", name="Channels", exact=True, level=1).wait_for()
    ada.check_access()
    theirs = ken.page.get_by_role("navigation", name=f"Channels of {PLACE}")
    expect(theirs.get_by_role("listitem").first).to_contain_text("three")


def test_who_is_removed_or_banned_while_watching_sees_no_more(member: Make) -> None:
    ada, ken = founded(member)
    link = ada.invite(PLACE)
    ken.page.get_by_role("button", name="beds", exact=True).click()
    ada.write("Still here?")
    ken.sees("Still here?")
    place = ken.page.get_by_role("navigation", name="Places").get_by_role("button", name=PLACE)
    page = settings(ada, "Members")
    page.get_by_role("list", name="Members").get_by_role("button", name="Ken").click()
    ada.check_access()
    page.get_by_role("button", name="Time out").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Shouting")
    page.get_by_role("dialog").get_by_role("button", name="Time out").click()
    page.get_by_text("Timed out until").wait_for()
    page.get_by_role("button", name="End it now").click()
    page.get_by_text("Timed out until").wait_for(state="detached")
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("list", name="Members").get_by_role("button")).to_have_count(1)
    expect(place).to_have_count(0)
    expect(ken.page.get_by_text("Still here?")).to_have_count(0)
    ken.go(link)
    step_inside(ken)
    page.get_by_role("list", name="Members").get_by_role("button", name="Ken").click()
    page.get_by_role("button", name="Ban", exact=True).click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Slugs in the post")
    ada.check_access()
    page.get_by_role("dialog").get_by_role("button", name="Ban").click()
    expect(place).to_have_count(0)
    ken.go(link)
    ken.page.get_by_role("button", name="Step inside", exact=True).click()
    ken.page.get_by_text("come back to this place: you are banned").wait_for()
    settings(ada, "Bans and timeouts")
    page.get_by_text("Slugs in the post").wait_for()
    ada.check_access()
    page.get_by_role("button", name="Lift the ban on Ken").click()
    page.get_by_text("Nobody is banned.").wait_for()
    ken.page.get_by_role("button", name="Step inside", exact=True).click()
    place.wait_for()
    # The log says it all; timeouts come to it a moment later.
    settings(ada, "Audit log")
    said = page.get_by_role("main").get_by_role("listitem")
    for sentence in (
        "Ada lifted the ban on Ken",
        "Ada banned Ken",
        "Ada removed Ken",
        "Ada ended the timeout of Ken",
        "Ada timed Ken out",
        "Ada opened the channel beds",
    ):
        expect(said.filter(has_text=sentence)).to_have_count(1)
    page.get_by_text("Reason: Slugs in the post").wait_for()
    page.get_by_label("What").select_option("People banned")
    expect(said).to_have_count(1)
    ada.check_access()


def test_an_invitation_lets_in_as_many_as_it_says(member: Make) -> None:
    ada, eve = founded(member)
    page = settings(ada, "Invitations")
    page.get_by_role("button", name="New invitation").click()
    page.get_by_label("How many people it lets in").fill("1")
    page.get_by_label("It works for").select_option("1 hour")
    ada.check_access()
    page.get_by_role("button", name="Make the invitation").click()
    page.get_by_text("0 of 1 came in").wait_for()
    code = code_of(page)
    mia, tom = member("Mia"), member("Tom")
    mia.sign_up(f"/invite/{code}")
    step_inside(mia)
    tom.sign_up(f"/invite/{code}")
    tom.page.get_by_role("button", name="Step inside", exact=True).click()
    tom.page.get_by_text("This invitation is over").wait_for()
    page.reload()
    page.get_by_text("1 of 1 came in").wait_for()
    page.get_by_role("button", name=f"Revoke {code}").click()
    page.get_by_text("1 of 1 came in").wait_for(state="detached")
    assert eve.wrong == []


def test_a_newcomer_accepts_the_rules_before_joining_in(member: Make) -> None:
    ada, _ = founded(member)
    link = ada.invite(PLACE)
    page = settings(ada, "Newcomers")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Rule 1", exact=True).fill("Be kind to the slugs")
    page.get_by_label("Newcomers accept the rules first").check()
    page.get_by_label("A few words").fill("Good to see you.")
    save(page)
    ada.check_access()
    mia = member("Mia")
    mia.sign_up(link)
    step_inside(mia)
    mia.page.get_by_role("button", name="beds", exact=True).click()
    asked = mia.page.get_by_role("region", name=f"Before you join in at {PLACE}")
    asked.get_by_text("Be kind to the slugs").wait_for()
    mia.check_access()
    asked.get_by_role("button", name="Accept the rules").click()
    asked.wait_for(state="detached")
    mia.write("I like slugs")
    mia.sees("I like slugs")
    back(ada, "beds")
    ada.sees("I like slugs")
    mia.page.reload()
    mia.sees("I like slugs")
    assert asked.count() == 0


def test_what_a_newcomer_answers_gives_a_role(member: Make, live: Live) -> None:
    ada, _ = founded(member)
    community = ada.path().split("/")[2]
    founder = live.sign_in(ada.handle)
    role = founder.do("POST", f"/v1/communities/{community}/roles", json={"name": "Digger"})
    link = ada.invite(PLACE)
    page = settings(ada, "Newcomers")
    page.get_by_role("button", name="Add a question").click()
    page.get_by_role("textbox", name="Question 1").fill("What do you like to do?")
    page.get_by_role("textbox", name="Answer 1").fill("Dig")
    page.get_by_role("textbox", name="Answer 2").fill("Look on")
    page.get_by_role("button", name="A role").first.click()
    page.get_by_role("option", name="Digger").click()
    page.get_by_label("It has to be answered").check()
    page.get_by_label("Newcomers accept the rules first").check()
    save(page)
    ada.check_access()
    mia = member("Mia")
    mia.sign_up(link)
    step_inside(mia)
    mia.page.get_by_role("button", name="beds", exact=True).click()
    asked = mia.page.get_by_role("region", name=f"Before you join in at {PLACE}")
    expect(asked.get_by_role("button", name="Go on")).to_be_disabled()
    asked.get_by_role("button", name="Dig").click()
    mia.check_access()
    asked.get_by_role("button", name="Go on").click()
    mia.write("I brought a spade")
    mia.sees("I brought a spade")
    held = f"/v1/communities/{community}/members/{live.sign_in(mia.handle).id}/roles"
    assert role["id"] in founder.do("GET", held)["role_ids"]


def test_a_place_is_found_by_what_it_is_about(member: Make) -> None:
    ada, _ = founded(member)
    page = settings(ada, "Overview")
    page.get_by_label("Tags").fill("allotment")
    page.get_by_label("Everybody on this server").check()
    save(page)
    mia = member("Mia")
    mia.sign_up()
    mia.page.get_by_role("searchbox", name="Search places").fill("allot")
    found = mia.page.get_by_role("listitem").filter(has_text="allotment")
    found.get_by_text("2 members").wait_for()
    mia.check_access()
    found.get_by_role("button").click()
    mia.page.get_by_role("heading", name="beds", exact=True).wait_for()


def test_an_event_is_planned_answered_and_called_off(member: Make) -> None:
    ada, ken = founded(member)
    page = settings(ada, "Events")
    page.get_by_role("button", name="New event").click()
    page.get_by_label("Title").fill("Seed swap")
    begins = datetime.now() + timedelta(days=2)
    page.get_by_label("Begins").fill(begins.strftime("%Y-%m-%dT18:00"))
    page.get_by_label("Where", exact=True).fill("The shed")
    ada.check_access()
    page.get_by_role("button", name="Plan it").click()
    page.get_by_role("heading", name="Seed swap").wait_for()
    menu(ken).get_by_role("menuitem", name="Events").click()
    ken.page.get_by_role("button", name="going").click()
    ken.page.get_by_text("1 is going").wait_for()
    ken.check_access()
    assert ken.page.get_by_role("button", name="Call off").count() == 0
    page.get_by_role("button", name="Call off Seed swap").click()
    page.get_by_role("dialog").get_by_role("button", name="Call it off").click()
    page.get_by_text("Called off").wait_for()
    ken.page.get_by_text("Called off").wait_for()


def test_a_place_is_founded_in_the_shape_of_another(member: Make) -> None:
    ada, ken = founded(member)
    page = settings(ada, "Templates")
    page.get_by_role("button", name="New template").click()
    page.get_by_label("Name of the template").fill("Gardens")
    page.get_by_role("button", name="Make the template").click()
    code = code_of(page)
    ada.check_access()
    ken.page.get_by_role("button", name="Home").click()
    ken.page.get_by_label("Name of the place").fill("Elm Street")
    ken.page.get_by_role("button", name="Begin with more than nothing").click()
    ken.page.get_by_label("A template").check()
    ken.page.get_by_label("Code of the template").fill(code)
    ken.page.get_by_text("1 channel.").wait_for()
    ken.check_access()
    ken.page.get_by_role("button", name="Start it").click()
    listed = ken.page.get_by_role("navigation", name="Channels of Elm Street")
    listed.get_by_role("button", name="beds", exact=True).wait_for()


def test_a_place_is_handed_over_once_its_name_is_typed(member: Make) -> None:
    ada, ken = founded(member)
    page = settings(ada, "Members")
    page.get_by_role("list", name="Members").get_by_role("button", name="Ken").click()
    page.get_by_role("button", name="Hand it to Ken").click()
    dialog = page.get_by_role("dialog")
    done = dialog.get_by_role("button", name="Hand it to Ken")
    expect(done).to_be_disabled()
    dialog.get_by_label(f"Type {PLACE} to go on").fill(PLACE)
    done.click()
    # The settings are Ken's now, and Ada's no longer.
    settings(ken, "Roles")
    expect(page.get_by_role("button", name="Members", exact=True)).to_have_count(0)


def test_a_phone_shows_a_page_of_the_settings_at_a_time(member: Make) -> None:
    ada = member("Ada", viewport={"width": 360, "height": 780}, has_touch=True)
    ada.sign_up()
    ada.found(PLACE, "beds")
    ada.page.get_by_role("button", name="Back").click()
    page = menu(ada)
    page.get_by_role("menuitem", name="Settings of this place").click()
    page.get_by_role("button", name="Roles", exact=True).wait_for()
    ada.check_access()
    page.get_by_role("button", name="Roles", exact=True).click()
    page.get_by_role("button", name="Everyone").click()
    page.get_by_role("heading", name="Everyone", level=2).wait_for()
    ada.check_access()
    page.get_by_role("button", name="Explain why").click()
    page.get_by_text("Yes, Owner allows it").wait_for()
    assert page.get_by_role("radiogroup").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    ada.check_access()
    page.get_by_role("button", name="Close the explanation").click()
    page.get_by_role("button", name="Back to settings").click()
    page.get_by_role("list", name="Roles, highest first").wait_for()


def test_the_settings_are_read_from_right_to_left_in_arabic(member: Make) -> None:
    ada = member("Ada")
    ada.sign_up()
    ada.found(PLACE, "beds")
    page = settings(ada, "Roles")
    page.evaluate("localStorage.setItem('creavio.language', 'ar')")
    page.reload()
    page.get_by_role("heading", name="الأدوار", level=1).wait_for()
    ada.check_access()


def test_who_may_is_listed_and_what_is_expected_is_held_against_the_roles(member: Make) -> None:
    ada, _ = founded(member)
    page = settings(ada, "Roles")
    page.get_by_role("button", name="Who may", exact=True).click()
    panel = page.get_by_role("complementary", name="Who may")
    panel.get_by_text("2 people").wait_for()
    ada.check_access()
    pick(page, "What: Write messages", "Ban people")
    panel.get_by_text("1 person").wait_for()
    panel.get_by_role("button", name="Explain why Ada may").click()
    why = page.get_by_role("complementary", name="Explain why")
    why.get_by_text("Yes, Owner allows it").wait_for()
    why.get_by_role("button", name="Who else may?").click()
    panel.get_by_text("1 person").wait_for()
    page.get_by_role("button", name="Policy tests").click()
    page.get_by_role("button", name="Begin with an example").click()
    page.keyboard.press("Control+Enter")
    page.get_by_text("All 7 expectations hold").wait_for()
    ada.check_access()
    field = page.get_by_label("Expectations")
    field.fill("cases:\n  - name: guests\n    channel: bed\n    may: [SEND_MESAGES]")
    page.get_by_role("button", name="Run the tests").click()
    page.get_by_text("Line 3: there is no channel called bed here.").wait_for()
    page.get_by_text("Did you mean SEND_MESSAGES?").wait_for()
    ada.check_access()
    case = "{name: guests, channel: beds, may: [BAN_MEMBERS], may_not: [PIN_MESSAGES]}"
    field.fill(f"cases: [{case}]")
    page.get_by_role("button", name="Run the tests").click()
    page.get_by_text("1 of 2 expectations does not hold").wait_for()
    failed = page.get_by_role("list", name="Results").get_by_role("listitem").first
    expect(failed).to_contain_text("guests: does not hold")
    expect(failed).to_contain_text("Expected: they may. They may not.")
    expect(failed).to_contain_text("No rule speaks of it")
    ada.check_access()
