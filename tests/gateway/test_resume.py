"""Who comes back to the running platform with a token has missed nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from pydantic import SecretStr
import pytest

from chassis.positions import Position
from chassis.testing import scratch_config
from local.credentials import Credentials
from services.gateway.domain import Positions
from services.gateway.engine.community import Person as Streams
from services.gateway.engine.tokens import ResumeTokens
from tests.gateway.world import read
from tests.live import Listener, Live, Person


def people_at_a_table(live: Live, channels: int = 1) -> tuple[Person, Person, str, list[str]]:
    """Two people in a community with some channels."""
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community = ada.found()["id"]
    places = [ada.open_channel(community, f"channel {n}")["id"] for n in range(channels)]
    bob.accept(ada.invite(community))
    return ada, bob, community, places


def token_after(person: Person, speaker: Person, channel: str) -> str:
    """A token of a stream that was told everything up to now."""
    with person.listening() as heard:
        speaker.send(channel, "heard live")
        told_until(heard, "heard live")
        return heard.resume_token


def told_until(heard: Listener, content: str) -> list[dict[str, Any]]:
    """The events of logs up to a message that says this, without it."""
    events: list[dict[str, Any]] = []
    while True:
        event = next_logged(heard)
        if event.get("message_created", {}).get("message", {}).get("content") == content:
            return events
        events.append(event)


def next_logged(heard: Listener) -> dict[str, Any]:
    """The next event that is kept: not who is there, or what the stream says of itself."""
    while not (event := heard.next()).get("id"):
        pass
    return event


@contextmanager
def resumed(person: Person, token: str) -> Iterator[Listener]:
    with person.listening(token) as heard:
        assert heard.seen[0]["ready"] == {"resumed": True}
        yield heard


def tokens_of(live: Live) -> ResumeTokens:
    """Makes and reads tokens as the platform's gateway does."""
    return tokens_with(Credentials(live.home.secrets).key("gateway"))


def tokens_with(key: str) -> ResumeTokens:
    """Makes and reads tokens with a key."""
    return ResumeTokens(scratch_config("gateway").model_copy(update={"token_key": SecretStr(key)}))


def sealed(tokens: ResumeTokens, person: Person, at: Positions) -> str:
    """A person's token of a place."""
    return read(tokens.sealed(Streams(person.id), at)).resume_token


def test_what_was_missed_arrives_once_and_in_order(live: Live) -> None:
    ada, bob, _, channels = people_at_a_table(live, 3)
    token = token_after(bob, ada, channels[0])
    sent = [ada.send(channels[number % 3], f"missed {number}") for number in range(60)]
    place = f"/v1/channels/{channels[1]}/messages"
    edited = ada.do("PATCH", f"{place}/{sent[1]['id']}", json={"content": "edited"})
    ada.do("DELETE", f"{place}/{sent[4]['id']}")
    named = bob.do("PATCH", "/v1/users/me", json={"bio": "was away"})
    with resumed(bob, token) as heard:
        ada.send(channels[0], "back")
        missed = told_until(heard, "back")
    assert len({event["id"] for event in missed}) == len(missed) == 63

    created = [e["message_created"]["message"] for e in missed if "message_created" in e]
    assert [e["message_updated"]["message"] for e in missed if "message_updated" in e] == [edited]
    (gone,) = [e["message_deleted"] for e in missed if "message_deleted" in e]
    assert (gone["message_id"], gone["revision"]) == (sent[4]["id"], "22")
    assert [e["user_updated"]["user"] for e in missed if "user_updated" in e] == [named]
    for channel in channels:
        assert [m for m in created if m["channel_id"] == channel] == [
            m for m in sent if m["channel_id"] == channel
        ]


def test_a_token_can_be_used_again_and_again(live: Live) -> None:
    ada, bob, _, (channel,) = people_at_a_table(live)
    token = token_after(bob, ada, channel)
    ada.send(channel, "missed")
    for _ in range(3):
        with resumed(bob, token) as heard:
            assert heard.until("message_created")["message"]["content"] == "missed"
            token_later = heard.resume_token
    ada.send(channel, "later")
    with resumed(bob, token_later) as heard:
        assert heard.until("message_created")["message"]["content"] == "later"


def test_two_streams_of_one_person_both_hear_everything(live: Live) -> None:
    ada, bob, _, (channel,) = people_at_a_table(live)
    with bob.listening() as phone, bob.listening() as desk:
        said = [ada.send(channel, f"{number}") for number in range(10)]
        for heard in (phone, desk):
            assert [heard.until("message_created")["message"] for _ in said] == said


def test_who_joins_while_listening_hears_what_is_said_next(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community = ada.found()["id"]
    channel, code = ada.open_channel(community)["id"], ada.invite(community)
    with bob.listening() as heard:
        ada.send(channel, "before")
        bob.accept(code)
        assert heard.until("member_joined")["member"]["user_id"] == bob.id
        sent = ada.send(channel, "welcome")
        assert heard.until("message_created")["message"] == sent
    kept = [event for event in heard.seen if event.get("id")]
    assert [next(iter(event.keys() - {"id", "time"})) for event in kept] == [
        "member_joined",
        "message_created",
    ]
    assert [e["access_changed"] for e in heard.seen if "access_changed" in e] == [
        {"community_id": community}
    ]


def test_nothing_of_a_community_left_meanwhile_is_told(live: Live) -> None:
    ada, bob, left, (secret,) = people_at_a_table(live)
    kept = ada.found()["id"]
    channel = ada.open_channel(kept)["id"]
    bob.accept(ada.invite(kept))
    token = token_after(bob, ada, channel)
    ada.send(secret, "said while a member")
    ada.do("DELETE", f"/v1/communities/{left}/members/{bob.id}")
    ada.send(secret, "said after")
    ada.send(channel, "said elsewhere")
    with resumed(bob, token) as heard:
        events = told_until(heard, "said elsewhere")
    assert [event for event in events if "message_created" in event] == []
    (removal,) = [event for event in events if "member_removed" in event]
    assert removal["member_removed"] == {"community_id": left, "user_id": bob.id}


def refused(person: Person, token: str) -> None:
    """Fails the test when the token is taken, or refused in other words."""
    reply = person.ask("GET", "/v1/events", params={"resume_token": token})
    assert reply.status_code == 400, reply.text
    info, bad, *_ = reply.json()["details"]
    assert info["reason"] == "INVALID_RESUME_TOKEN"
    assert [violation["field"] for violation in bad["field_violations"]] == ["resume_token"]


def test_only_ones_own_token_resumes(live: Live) -> None:
    ada, bob, _, (channel,) = people_at_a_table(live)
    token = token_after(bob, ada, channel)
    positions = tokens_of(live).open(token, bob.id)
    refused(ada, token)
    for bad in (
        token[:-4],
        token[4:],
        token[:24][::-1] + token[24:],
        sealed(tokens_with("k" * 44), bob, positions),
        "garbage",
        "\u202e😀",
    ):
        refused(bob, bad)
    # A cursor of chat's is no place in the stream.
    for number in range(2):
        ada.send(channel, f"{number}")
    page = bob.do("GET", f"/v1/channels/{channel}/messages", params={"page_size": 1})
    refused(bob, page["next_page_token"])
    with resumed(bob, token):
        pass


def test_a_token_is_never_too_long(live: Live) -> None:
    reply = live.sign_up("ada").ask("GET", "/v1/events", params={"resume_token": "x" * 2049})
    assert reply.status_code == 400, reply.text
    assert reply.json()["details"][0]["reason"] == "INVALID_FIELD"


@pytest.mark.parametrize("ahead", [0, -1, 1_000_000])
def test_a_place_in_another_log_means_fetching_anew(live: Live, ahead: int) -> None:
    """As after a restore: the number is known, but it was another event's."""
    ada, bob, _, (channel,) = people_at_a_table(live)
    tokens = tokens_of(live)
    token = token_after(bob, ada, channel)
    positions = tokens.open(token, bob.id)
    at = positions["chat"]
    event = at.event_id if ahead > 0 else "evt_of_another_log"
    elsewhere = {**positions, "chat": Position(at.epoch, at.number + ahead, event)}
    with bob.listening(sealed(tokens, bob, elsewhere)) as heard:
        assert heard.seen[0]["ready"] == {"resumed": False}
        assert heard.until("refetch")["detail"]
        ada.send(channel, "goes on")
        assert heard.until("message_created")["message"]["content"] == "goes on"
        token = heard.resume_token
    with resumed(bob, token):
        pass


def test_what_is_said_while_a_listener_comes_and_goes_is_heard_once(live: Live) -> None:
    """Ten comings and goings in the middle of talk; each goes on where the last ended."""
    ada, bob, _, (channel,) = people_at_a_table(live)
    token = token_after(bob, ada, channel)
    heard: list[str] = []
    for number in range(10):
        ada.send(channel, f"{2 * number}")
        with resumed(bob, token) as listener:
            ada.send(channel, f"{2 * number + 1}")
            while f"{2 * number + 1}" not in heard or not listener.resume_token:
                message = next_logged(listener).get("message_created")
                if message is not None:
                    heard.append(message["message"]["content"])
            token = listener.resume_token
    assert heard == [f"{number}" for number in range(20)]


def test_an_open_stream_is_silent_about_others(live: Live) -> None:
    ada, _, _, (channel,) = people_at_a_table(live)
    eve = live.sign_up("eve")
    with ada.listening(), eve.listening(read_timeout=1) as heard:
        ada.send(channel, "among ourselves")
        with pytest.raises(httpx.ReadTimeout):
            next_logged(heard)
        assert all(e["presence"]["user_id"] == eve.id for e in heard.seen if "presence" in e)
