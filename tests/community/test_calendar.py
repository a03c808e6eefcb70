"""The calendar, as people meet it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from creavio.community.v1 import calendar_event_pb2
from services.community.domain import LimitReached
from services.community.domain.calendar import OPEN, Answer, may_have_another_event
from tests.live import Live, Person, refusal

PLAN = {
    "title": "Party",
    "start_time": "2030-01-01T18:00:00Z",
    "end_time": "2030-01-01T20:00:00Z",
    "time_zone": "Europe/Berlin",
}
GOING, INTERESTED, NOTHING = (
    f"CALENDAR_ANSWER_{name}" for name in ("GOING", "INTERESTED", "UNSPECIFIED")
)


def path(community: str, *parts: str) -> str:
    return "/".join((f"/v1/communities/{community}/calendar", *parts))


def planned(person: Person, community: str, **more: Any) -> Any:
    return person.do("POST", path(community), json={**PLAN, **more})


def listed(person: Person, community: str, **query: Any) -> list[str]:
    """The titles, page by page."""
    found: list[str] = []
    token = ""
    while True:
        asked = {"page_size": 2, "page_token": token, **query}
        page = person.do("GET", path(community), params=asked)
        found += [event["title"] for event in page["calendar_events"]]
        token = page["next_page_token"]
        if not token:
            return found


def answered(person: Person, community: str, event: str, answer: str) -> tuple[int, int]:
    body = {"answer": answer}
    reply = person.do("PUT", path(community, event, "answer"), json=body)
    assert reply["answer"] == answer
    return reply["interested_count"], reply["going_count"]


@pytest.fixture
def table(live: Live) -> tuple[Person, Person, str]:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    here = str(ada.found()["id"])
    bob.accept(ada.invite(here))
    return ada, bob, here


def test_what_is_planned_is_told_changed_and_called_off(table: tuple[Person, Person, str]) -> None:
    ada, bob, here = table
    with bob.listening() as stream:
        made = planned(ada, here, location="The old mill", request_id="k")
        assert planned(ada, here, location="The old mill", request_id="k") == made
        assert stream.until("calendar_event_saved")["calendar_event"] == made
        change = {"title": "Ball", "end_time": "2030-01-01T23:00:00Z", "etag": made["etag"]}
        changed = ada.do("PATCH", path(here, made["id"]), json=change)
        assert (changed["title"], changed["location"]) == ("Ball", "The old mill")
        assert stream.until("calendar_event_saved")["calendar_event"] == changed
        stale = ada.ask("PATCH", path(here, made["id"]), json=change)
        assert refusal(stale) == (409, "CONCURRENT_CHANGE")
        off = ada.do("POST", f"{path(here, made['id'])}:cancel")
        assert stream.until("calendar_event_saved")["calendar_event"] == off
    assert off["cancel_time"]
    assert ada.do("POST", f"{path(here, made['id'])}:cancel") == off
    assert bob.do("GET", path(here, made["id"])) == off, "it stays, called off"
    for verb, rest, body in (("PATCH", (), {"title": "x"}), ("PUT", ("answer",), {"answer": 2})):
        reply = ada.ask(verb, path(here, made["id"], *rest), json=body)
        assert refusal(reply) == (400, "CALLED_OFF")
    log = ada.do("GET", f"/v1/communities/{here}/audit-log?target_id={made['id']}")["entries"]
    assert [e["action"].rpartition("_")[2] for e in log] == ["CANCELLED", "UPDATED", "CREATED"]


def test_a_span_of_time_leads_to_what_touches_it(table: tuple[Person, Person, str]) -> None:
    ada, bob, here = table
    for title, start, end in (
        ("month", "2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z"),
        ("first", "2030-01-01T00:00:00Z", "2030-01-01T01:00:00Z"),
        ("last", "2030-01-31T22:00:00Z", "2030-01-31T23:00:00Z"),
        ("later", "2030-03-01T00:00:00Z", "2030-03-01T01:00:00Z"),
    ):
        planned(ada, here, title=title, start_time=start, end_time=end)
    assert set(listed(bob, here)) == {"month", "first", "last", "later"}
    span = {"after_time": "2030-01-31T00:00:00Z", "before_time": "2030-02-01T00:00:00Z"}
    assert listed(bob, here, **span) == ["month", "last"]
    assert listed(bob, here, before_time="2030-01-01T00:00:00Z") == []
    assert listed(bob, here, after_time="2030-02-01T00:00:00Z") == ["later"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0167-03-12T01:46:32Z", "0502-05-28T16:34:03Z"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("2030-01-01T00:00:00Z", "2030-02-01T00:00:00.5Z"),
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
    ],
)
def test_an_event_lasts_a_month_at_most_and_ends_after_it_began(
    table: tuple[Person, Person, str], start: str, end: str
) -> None:
    ada, _, here = table
    body = PLAN | {"start_time": start, "end_time": end}
    assert refusal(ada.ask("POST", path(here), json=body)) == (400, "INVALID_FIELD")


def test_an_event_may_be_at_either_end_of_time(table: tuple[Person, Person, str]) -> None:
    ada, bob, here = table
    for title, start, end in (
        ("first", "0001-01-01T00:00:00Z", "0001-01-01T01:00:00Z"),
        ("last", "9999-12-31T22:00:00Z", "9999-12-31T23:59:59Z"),
    ):
        made = planned(ada, here, title=title, start_time=start, end_time=end)
        assert (made["start_time"], made["end_time"]) == (start, end)
        shown = ada.do("PATCH", path(here, made["id"]), json={"location": "The old mill"})
        assert (shown["start_time"], shown["end_time"]) == (start, end)
    assert listed(bob, here) == ["first", "last"]


def test_answers_are_counted_once_each(live: Live, table: tuple[Person, Person, str]) -> None:
    ada, bob, here = table
    event = planned(ada, here)["id"]
    assert answered(ada, here, event, GOING) == (0, 1)
    assert answered(bob, here, event, INTERESTED) == (1, 1)
    for _ in range(2):
        assert answered(bob, here, event, GOING) == (0, 2)
    assert bob.do("GET", path(here))["calendar_events"][0]["answer"] == GOING
    assert answered(bob, here, event, NOTHING) == (0, 1)
    answered(bob, here, event, GOING)
    bob.do("POST", f"/v1/communities/{here}:leave")
    seen = ada.do("GET", path(here, event))
    assert (seen["interested_count"], seen["going_count"], seen["answer"]) == (0, 1, GOING)
    with ThreadPoolExecutor(6) as threads:
        list(
            threads.map(
                lambda n: answered(ada, here, event, (GOING, INTERESTED, NOTHING)[n % 3]), range(12)
            )
        )
    assert answered(ada, here, event, INTERESTED) == (1, 0)


def test_what_takes_place_in_a_private_channel_is_there_for_its_few(
    table: tuple[Person, Person, str],
) -> None:
    ada, bob, here = table
    body = {"name": "vault", "private": True}
    vault = ada.do("POST", f"/v1/communities/{here}/channels", json=body)["id"]
    with bob.listening() as stream:
        secret = planned(ada, here, title="Secret", channel_id=vault)
        ada.do("PATCH", path(here, secret["id"]), json={"title": "Secret still"})
        planned(ada, here, title="Open")
        stream.until("calendar_event_saved")
        assert not any("channel_calendar_event_saved" in event for event in stream.seen)
        assert listed(bob, here) == ["Open"]
        manage = {"name": "planner", "allow": ["PERMISSION_MANAGE_EVENTS"]}
        role = ada.do("POST", f"/v1/communities/{here}/roles", json=manage)["id"]
        grant = {"role_id": role}
        ada.do("POST", f"/v1/communities/{here}/members/{bob.id}/roles", json=grant)
        for verb, rest, said in (
            ("GET", "", None),
            ("PATCH", "", {"title": "x"}),
            ("POST", ":cancel", {}),
            ("PUT", "/answer", {"answer": GOING}),
        ):
            reply = bob.ask(verb, path(here, secret["id"]) + rest, json=said)
            assert refusal(reply) == (404, "NOT_FOUND"), rest
        refused = bob.ask("POST", path(here), json={**PLAN, "channel_id": vault})
        assert refusal(refused) == (404, "NOT_FOUND")
        override = f"/v1/communities/{here}/channels/{vault}/overrides/{bob.id}"
        ada.do("PUT", override, json={"allow": ["PERMISSION_VIEW_CHANNEL"]})
        assert set(listed(bob, here)) == {"Open", "Secret still"}
        answered(bob, here, secret["id"], GOING)
        changed = ada.do("PATCH", path(here, secret["id"]), json={"title": "Known"})
        assert stream.until("channel_calendar_event_saved")["calendar_event"] == changed
    ada.do("DELETE", f"/v1/communities/{here}/channels/{vault}")
    assert listed(ada, here) == ["Open"], "it goes with its channel"


def test_an_event_of_another_community_is_none(live: Live, table: tuple[Person, ...]) -> None:
    ada, eve, here = table[0], live.sign_up("eve"), str(table[2])
    there = eve.found()["id"]
    event = planned(ada, here)["id"]
    for verb, rest, said in (
        ("GET", "", None),
        ("PATCH", "", {"title": "x"}),
        ("POST", ":cancel", {}),
    ):
        reply = eve.ask(verb, path(there, event) + rest, json=said)
        assert refusal(reply) == (404, "NOT_FOUND")
    channel = ada.open_channel(here)["id"]
    foreign = eve.ask("POST", path(there), json={**PLAN, "channel_id": channel})
    assert refusal(foreign) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "body",
    [
        {"title": " "},
        {"title": ""},
        {"end_time": PLAN["start_time"]},
        {"end_time": "2030-03-01T00:00:00Z"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"start_time": None},
    ],
)
def test_a_plan_has_a_time_that_can_be(
    table: tuple[Person, Person, str], body: dict[str, Any]
) -> None:
    ada, _, here = table
    assert refusal(ada.ask("POST", path(here), json={**PLAN, **body})) == (400, "INVALID_FIELD")


def test_whoever_is_timed_out_answers_nothing(table: tuple[Person, Person, str]) -> None:
    ada, bob, here = table
    event = planned(ada, here)["id"]
    silence = {"user_id": bob.id, "seconds": 600}
    ada.do("POST", f"/v1/communities/{here}/timeouts", json=silence)
    reply = bob.ask("PUT", path(here, event, "answer"), json={"answer": GOING})
    assert refusal(reply) == (403, "PERMISSION_DENIED")
    assert listed(bob, here) == ["Party"]


def test_there_are_so_many_and_no_more() -> None:
    may_have_another_event(OPEN - 1)
    with pytest.raises(LimitReached):
        may_have_another_event(OPEN)


def test_answers_are_numbered_as_in_the_contract() -> None:
    theirs = {
        n.removeprefix("CALENDAR_ANSWER_"): v
        for n, v in calendar_event_pb2.CalendarAnswer.items()
        if v
    }
    assert {answer.name: answer.value for answer in Answer} == theirs
