"""What people do where they talk, in real browsers on the real platform."""

from __future__ import annotations

import re

from playwright.sync_api import expect
import pytest

from tests.live import Live
from tests.web.conftest import WITHIN, Member
from tests.web.place import Make, gathered

pytestmark = pytest.mark.timeout(600)  # may build the app


@pytest.fixture
def two(member: Make) -> tuple[Member, Member]:
    """Somebody who founded a place, and somebody who was invited."""
    return gathered(member("Ada Lovelace"), member("Kenji Watanabe"))


def test_a_thread_stands_beside_the_channel_and_its_stub_counts(two: tuple[Member, Member]) -> None:
    ada, ken = two
    ada.write("Who waters on Tuesday?")
    ken.sees("Who waters on Tuesday?")
    ken.does("Who waters on Tuesday?", "Start a thread")
    ken.page.get_by_role("button", name="Begin", exact=True).click()
    thread = ken.page.get_by_role("complementary", name="Thread")
    thread.get_by_role("textbox").fill("I can, from six.")
    thread.get_by_role("textbox").press("Enter")
    ada.page.get_by_role("button", name=re.compile("1 reply")).click()
    ada.page.get_by_role("complementary", name="Thread").get_by_text("I can, from six.").wait_for()
    ada.check_access()
    ada.page.keyboard.press("Escape")
    ada.page.get_by_role("complementary", name="Thread").wait_for(state="detached")
    # What is said in a thread is not said in the channel.
    assert ada.page.get_by_role("log").get_by_text("I can, from six.").count() == 0


def test_pinned_and_kept_messages_are_found_again(two: tuple[Member, Member]) -> None:
    ada, _ = two
    ada.write("The tap key hangs in the shed.")
    ada.does("The tap key hangs in the shed.", "Pin")
    ada.does("The tap key hangs in the shed.", "Keep")
    for name in ("Pinned messages", "Kept messages"):
        ada.page.get_by_role("button", name=name).click()
        ada.page.get_by_role("dialog", name=name).get_by_text("The tap key").wait_for()
        ada.check_access()
        ada.page.keyboard.press("Escape")
    ada.does("The tap key hangs in the shed.", "Unpin")
    ada.page.get_by_role("button", name="Pinned messages").click()
    ada.page.get_by_text("Nothing is pinned here.").wait_for()


def test_a_poll_is_answered_and_closed(two: tuple[Member, Member]) -> None:
    ada, ken = two
    ada.page.get_by_role("button", name="More to send").click()
    ada.page.get_by_role("menuitem", name="Poll").click()
    ada.page.get_by_label("Question").fill("When do we dig?")
    ada.page.get_by_label("Answer 1").fill("Saturday")
    ada.page.get_by_label("Answer 2").fill("Sunday")
    ada.page.get_by_role("button", name="Ask", exact=True).click()
    ken.page.get_by_role("checkbox", name="Sunday").check()
    ada.page.get_by_text("1 have answered").wait_for()
    assert not ada.page.get_by_role("checkbox", name="Sunday").is_checked()
    ada.check_access()
    ada.page.get_by_role("button", name="Close it").click()
    ken.page.get_by_text("Closed", exact=True).wait_for()
    assert ken.page.get_by_role("checkbox", name="Saturday").is_disabled()


def test_completion_mentions_people_and_channels(two: tuple[Member, Member]) -> None:
    ada, ken = two
    field = ada.page.get_by_role("textbox", name="Write to")
    field.press_sequentially("Thanks @kenj")
    ada.page.get_by_role("option", name="Kenji Watanabe").wait_for()
    ada.check_access()
    field.press("Enter")
    field.press_sequentially("for #bed")
    ada.page.get_by_role("option", name="beds").wait_for()
    field.press("Tab")
    field.press_sequentially(":seedling")
    ada.page.get_by_role("option", name=":seedling:").wait_for()
    field.press("Enter")
    field.press("Enter")
    ken.sees("@Kenji Watanabe")
    ken.page.get_by_role("log").get_by_role("link", name="#beds").wait_for()
    ken.sees("🌱")


def test_an_emoji_is_put_where_one_writes_and_one_writes_on(two: tuple[Member, Member]) -> None:
    ada, ken = two
    field = ada.page.get_by_role("textbox", name="Write to")
    field.press_sequentially("Water , please")
    for _ in range(len(", please")):
        field.press("ArrowLeft")
    ada.page.get_by_role("button", name="Emoji").last.click()
    picker = ada.page.get_by_role("dialog")
    picker.get_by_label("Search emoji").fill("seedling")
    picker.get_by_label("seedling").first.click()
    expect(field).to_be_focused()
    ada.page.keyboard.type("!")
    ada.page.keyboard.press("Enter")
    ken.sees("Water 🌱!, please")


def test_a_link_leads_to_the_message_in_what_was_said_long_ago(two: tuple[Member, Member]) -> None:
    ada, ken = two
    ada.write("The very first thing")
    ada.sees("The very first thing")
    # One that is on its way has no name yet.
    row = ada.page.get_by_role("log").locator("article[id^=msg_]").first
    first = row.get_attribute("id")
    ada.has_said(f"Line {number}" for number in range(120))
    # Whoever looks at the last there is follows what comes: all of it has to be there.
    ken.sees("Line 119")
    ken.go(f"{ken.path()}#{first}")
    ken.page.get_by_role("log").get_by_text("The very first thing").wait_for()
    assert ken.page.get_by_role("log").get_by_text("Line 119").count() == 0
    ken.check_access()
    ken.page.get_by_role("button", name="To the latest messages").click()
    ken.sees("Line 119")


def test_what_loads_above_moves_nothing(two: tuple[Member, Member]) -> None:
    ada, ken = two
    ada.has_said(f"Line {number}" + "\nand more" * (number % 4) for number in range(150))
    ken.sees("Line 149")
    log = ken.page.get_by_role("log")
    # Rows that are far away are not there: a channel may hold thousands.
    assert log.get_by_role("article").count() < 60
    compared = 0
    for _ in range(60):
        log.evaluate("it => it.scrollBy(0, -220)")
        ken.page.wait_for_timeout(30)
        top = log.evaluate(TOP_ROW)
        ken.page.wait_for_timeout(120)
        again = log.evaluate(f"(it, id) => {WHERE}", top["id"])
        if again is not None:
            compared += 1
            assert abs(again - top["top"]) <= 2, top
        if log.get_by_text("This is where").count():
            break
    log.get_by_text("This is where #beds begins.").wait_for()
    assert compared > 10


TOP_ROW = """it => {
  const rows = [...it.querySelectorAll('article')];
  const box = it.getBoundingClientRect();
  const row = rows.find(one => one.getBoundingClientRect().top >= box.top);
  return { id: row.id, top: row.getBoundingClientRect().top };
}"""
WHERE = "document.getElementById(id)?.getBoundingClientRect().top ?? null"


def test_everything_is_within_reach_of_the_keyboard(two: tuple[Member, Member]) -> None:
    ada, ken = two
    ken.write("Reply to me without a mouse.")
    ada.sees("Reply to me without a mouse.")
    keys = ada.page.keyboard
    keys.press("Control+k")
    ada.page.get_by_role("combobox", name="Where, or to whom?").fill("bed")
    ada.page.get_by_role("option", name="beds").wait_for()
    ada.check_access()
    keys.press("Enter")
    ada.page.get_by_role("textbox", name="Write to").focus()
    for _ in range(12):
        keys.press("Shift+Tab")
        if ada.page.evaluate("document.activeElement.tagName") == "ARTICLE":
            break
    keys.press("r")
    expect(ada.page.get_by_role("textbox", name="Write to")).to_be_focused()
    keys.type("Done.")
    keys.press("Enter")
    ken.sees("Done.")
    keys.press("ArrowUp")
    keys.press("End")
    keys.type(" By keys alone.")
    keys.press("Enter")
    ken.sees("Done. By keys alone.")
    keys.press("Escape")
    keys.press("Control+/")
    ada.page.get_by_role("dialog", name="Keyboard").wait_for()
    ada.check_access()


def test_one_writes_to_several_people_at_once(two: tuple[Member, Member], member: Make) -> None:
    ada, ken = two
    lin = member("Lin Mei")
    lin.arrive()
    ada.page.get_by_role("button", name=re.compile("Direct messages")).click()
    ada.page.get_by_role("button", name="New conversation").click()
    for other in (ken, lin):
        ada.page.get_by_label("Handle").fill(other.handle)
        ada.page.get_by_role("button", name="Add", exact=True).click()
        ada.page.get_by_role("button", name=f"Remove {other.name}").wait_for()
    ada.page.get_by_label("Name of the group").fill("Diggers")
    ada.check_access()
    ada.page.get_by_role("button", name="Begin", exact=True).click()
    ada.page.get_by_role("heading", name="Diggers", exact=True).wait_for()
    ada.write("Spades are in the shed.")
    for other in (ken, lin):
        other.page.get_by_role("button", name=re.compile("Direct messages")).click()
        other.page.get_by_role("button", name="Diggers").click()
        other.sees("Spades are in the shed.")
    lin.page.get_by_role("button", name="People and name").click()
    lin.page.get_by_role("button", name="Leave the group").click()
    lin.page.get_by_role("button", name="Diggers").wait_for(state="detached")


def test_pages_without_a_shared_worker_take_turns(member: Make) -> None:
    ada, ken = gathered(member("Ada"), member("Ken", without=("SharedWorker",)))
    other = ken.open()
    other.goto(ken.page.url)
    ada.write("To both of your pages")
    ken.sees("To both of your pages")
    other.get_by_role("log").get_by_text("To both of your pages").wait_for()
    ken.page.close()
    ada.write("To the one that is left")
    other.get_by_role("log").get_by_text("To the one that is left").wait_for()


def test_a_message_is_sent_on_and_leads_back(two: tuple[Member, Member]) -> None:
    ada, ken = two
    ada.say("Copper tape keeps slugs out.")
    ken.does("Copper tape keeps slugs out.", "Send on")
    ken.page.get_by_role("combobox", name="Where to?").fill("beds")
    ken.page.get_by_role("option", name="beds").click()
    ken.page.get_by_label("Say something beside it").fill("As Ada says:")
    ken.check_access()
    dialog = ken.page.get_by_role("dialog", name="Send on to beds")
    dialog.get_by_role("button", name="Send", exact=True).click()
    ada.sees("As Ada says:")
    row = ada.page.get_by_role("article").filter(has_text="As Ada says:")
    row.get_by_text("Copper tape keeps slugs out.").wait_for()
    row.get_by_role("button", name="Go there").click()
    ada.page.wait_for_url("**#msg_*")


def test_a_changed_name_is_seen_by_others_at_once(two: tuple[Member, Member], live: Live) -> None:
    ada, ken = two
    ken.say("Guess who I will be.")
    ada.sees("Guess who I will be.")
    live.sign_in(ken.handle).do("PATCH", "/v1/users/me", json={"display_name": "Ken the Gardener"})
    ada.page.get_by_role("log").get_by_text("Ken the Gardener").wait_for()


def test_a_message_that_was_put_off_is_sent_by_itself(two: tuple[Member, Member]) -> None:
    ada, _ = two
    ada.page.get_by_role("textbox", name="Write to").fill("Good morning")
    ada.page.get_by_role("button", name="More to send").click()
    ada.page.get_by_role("menuitem", name="Send later").click()
    ada.page.get_by_role("button", name="Tomorrow at 9").click()
    ada.check_access()
    ada.page.get_by_role("button", name="Send it then").click()
    waiting = ada.page.get_by_role("dialog", name="Waiting to be sent")
    waiting.get_by_text("Good morning").wait_for()
    assert ada.page.get_by_role("textbox", name="Write to").input_value() == ""
    waiting.get_by_role("button", name="Do not send").click()
    waiting.get_by_text("Nothing waits to be sent.").wait_for()


def test_what_was_begun_on_one_device_goes_on_on_another(
    two: tuple[Member, Member], member: Make
) -> None:
    ada, _ = two
    field = ada.page.get_by_role("textbox", name="Write to")
    field.fill("Half a thought")
    phone = member(ada.name, viewport={"width": 390, "height": 780})
    phone.handle = ada.handle
    phone.go(ada.path())
    phone.sign_in()
    expect(phone.page.get_by_role("textbox", name="Write to")).to_have_value(
        "Half a thought", timeout=WITHIN
    )
    phone.page.get_by_role("textbox", name="Write to").press("Enter")
    ada.sees("Half a thought")


def test_messages_are_deleted_together_by_who_looks_after_the_room(
    two: tuple[Member, Member], live: Live
) -> None:
    ada, ken = two
    for number in range(5):
        ken.say(f"Buy cheap spades {number}")
    ada.say("We have spades.")
    # What one may not do is not offered.
    row = ken.page.get_by_role("log").get_by_role("article").first
    row.hover()
    row.get_by_role("button", name="More", exact=True).click()
    ken.page.get_by_role("menuitem", name="Copy text").wait_for()
    assert ken.page.get_by_role("menuitem", name="Select messages").count() == 0
    ken.page.keyboard.press("Escape")
    assert ken.page.get_by_role("button", name="New channel").count() == 0
    ada.does("Buy cheap spades 1", "Select messages")
    bar = ada.page.get_by_role("region", name="Selected messages")
    bar.get_by_text("1 selected").wait_for()
    rows = ada.page.get_by_role("log").get_by_role("article")
    rows.filter(has_text="Buy cheap spades 3").click(modifiers=["Shift"])
    bar.get_by_text("3 selected").wait_for()
    ada.check_access()
    # From there by keys alone: the one below, and everything up to it.
    ada.page.keyboard.press("ArrowDown")
    ada.page.keyboard.press("Shift+Space")
    bar.get_by_text("4 selected").wait_for()
    bar.get_by_role("button", name="Delete").click()
    ada.page.get_by_role("dialog", name="Delete 4 messages?").wait_for()
    ada.check_access()
    ada.page.get_by_role("button", name="Delete 4 messages").click()
    bar.wait_for(state="detached")
    expect(ken.page.get_by_role("log").get_by_text("Buy cheap spades")).to_have_count(1)
    ken.sees("We have spades.")
    expect(rows.last).to_be_focused()
    ada.page.keyboard.press("x")
    bar.wait_for()
    ada.page.keyboard.press("Escape")
    bar.wait_for(state="detached")
    # What waits to be sent is written anew.
    ada.page.get_by_role("textbox", name="Write to").fill("Good morning")
    ada.page.get_by_role("button", name="More to send").click()
    ada.page.get_by_role("menuitem", name="Send later").click()
    ada.page.get_by_role("button", name="Send it then").click()
    waiting = ada.page.get_by_role("dialog", name="Waiting to be sent")
    waiting.get_by_role("button", name="Edit").click()
    waiting.get_by_label("Message").fill("Good evening")
    waiting.get_by_role("button", name="Tomorrow at 9").click()
    ada.check_access()
    waiting.get_by_role("button", name="Save").click()
    waiting.get_by_text("Good evening").wait_for()
    waiting.get_by_text("9:00").wait_for()
    waiting.get_by_role("button", name="Close").click()
    # And a post is given another tag, by who began it.
    founder, place = live.sign_in(ada.handle), ada.path().split("/")[2]
    tags = [{"name": "Help"}, {"name": "Solved"}, {"name": "Official", "moderated": True}]
    forum = {"name": "questions", "type": "CHANNEL_TYPE_FORUM", "forum": {"tags": tags}}
    channel = founder.do("POST", f"/v1/communities/{place}/channels", json=forum)
    post = live.sign_in(ken.handle).do(
        "POST",
        f"/v1/channels/{channel['id']}/posts",
        json={"name": "Which spade?", "content": "Oak or ash?"},
        headers={"Idempotency-Key": "spade"},
    )
    ken.go(f"/c/{place}/{channel['id']}/{post['id']}")
    thread = ken.page.get_by_role("complementary", name="Thread")
    thread.get_by_role("button", name="More", exact=True).first.click()
    ken.page.get_by_role("menuitem", name="Change tags").click()
    dialog = ken.page.get_by_role("dialog", name="Change tags")
    expect(dialog.get_by_role("button", name="Official")).to_be_disabled()
    dialog.get_by_role("button", name="Solved").click()
    ken.check_access()
    dialog.get_by_role("button", name="Save").click()
    # Until the dialog is gone its button says so, too.
    thread.get_by_role("group", name="Tags").locator("span", has_text="Solved").wait_for()
