"""Who was away is told everything that happened meanwhile, once, whatever fell over."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
import itertools
import threading
import time
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.e2e.readers import Reader, eventually
from tests.live import Live, Person, running

CHANNELS = 50
EVENTS = 1_000
CHANGES = ("message_created", "message_updated", "message_deleted")


@pytest.fixture(scope="module")
def frail() -> Iterator[Live]:
    """Two gateways and two chats, which may be harmed."""
    with running(CREAVIO_REPLICAS="chat=2,gateway=2") as platform:
        yield platform


def patiently(person: Person, method: str, path: str, **options: Any) -> Any:
    """Ask again until it is answered, as clients do."""
    ends = time.monotonic() + 60
    while True:
        try:
            reply = person.ask(method, path, **options)
        except httpx.TransportError:
            reply = None
        if reply is not None and reply.status_code < 500:
            assert reply.is_success, reply.text
            return reply.json()
        assert time.monotonic() < ends, f"{method} {path} is not answered"
        time.sleep(0.05)


class Busy:
    """Some people who write, edit and delete in many channels at once."""

    def __init__(self, people: list[Person], channels: list[str]) -> None:
        self._people = people
        self._channels = channels
        self._numbers = itertools.count()
        self.done = 0
        self._lock = threading.Lock()

    def work(self, changes: int) -> None:
        """Make so many changes."""
        with ThreadPoolExecutor(len(self._people)) as pool:
            list(
                pool.map(
                    self._make, [changes // len(self._people)] * len(self._people), self._people
                )
            )

    def _make(self, changes: int, person: Person) -> None:
        made = 0
        while made < changes:
            number = next(self._numbers)
            path = f"/v1/channels/{self._channels[number % len(self._channels)]}/messages"
            body = {"content": f"message {number}", "nonce": f"n{number}"}
            message = patiently(person, "POST", path, json=body)
            made += 1
            if number % 10 == 3:
                edit = {"content": f"message {number}, better"}
                patiently(person, "PATCH", f"{path}/{message['id']}", json=edit)
                made += 1
            if number % 10 == 7:
                patiently(person, "DELETE", f"{path}/{message['id']}")
                made += 1
        with self._lock:
            self.done += made


def changes_kept(live: Live, community: str) -> dict[str, int]:
    """The last number of each channel, as the database knows it."""
    engine = sa.create_engine(live.database_url("creavio_chat"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT id, last_sequence FROM channel WHERE community_id = CAST(:id AS uuid)"),
            {"id": community},
        )
        return {str(row.id): row.last_sequence for row in rows}


def changes_told(*streams: Reader) -> list[tuple[str, str, int]]:
    """Event, channel and number of every change that was told, in order."""
    told = []
    for stream in streams:
        for _, event in stream.events:
            kind = next((k for k in CHANGES if k in event), None)
            if kind is None:
                continue
            said = event[kind].get("message", event[kind])
            told.append((event["id"], said["channel_id"], int(said["revision"])))
    return told


def uuid_of(identifier: str) -> str:
    from chassis import ids

    kind = ids.Kind(identifier.partition("_")[0])
    return str(ids.parse(kind, identifier, field="id"))


@pytest.mark.timeout(400)
def test_a_client_dropped_amid_a_thousand_events_misses_none(frail: Live) -> None:
    owner, member = frail.sign_up("owner"), frail.sign_up("member")
    community = owner.found()["id"]
    channels = [owner.open_channel(community, f"c{n}")["id"] for n in range(CHANNELS)]
    member.accept(owner.invite(community))
    busy = Busy([owner, member, owner, member], channels)
    worker = threading.Thread(target=busy.work, args=(EVENTS,), daemon=True)
    with Reader(member).open() as first:
        worker.start()
        eventually(lambda: len(changes_told(first)) > EVENTS // 4, 60, "nothing was told")
    for part in ("gateway", "nats", "gateway-2", "chat"):
        frail.kill(part)
        time.sleep(0.5)
    worker.join(180)
    assert not worker.is_alive()
    eventually(frail.healthy, 30, "the platform did not come back")
    with Reader(member).open(first.resume_token) as second:
        kept = changes_kept(frail, uuid_of(community))
        expected = {
            (uuid_of(channel), number)
            for channel in channels
            for number in range(1, kept[uuid_of(channel)] + 1)
        }
        assert len(expected) >= EVENTS

        def seen() -> set[tuple[str, int]]:
            return {(uuid_of(c), number) for _, c, number in changes_told(first, second)}

        eventually(lambda: seen() >= expected, 60, "something was not told")
        time.sleep(1.5)
    assert seen() == expected, "nothing that is not kept"
    assert not second.told("refetch")
    told = changes_told(first, second)
    assert len({event for event, _, _ in told}) == len(told), "told twice"
    by_sequence: dict[str, list[tuple[int, str]]] = {}
    for stream in (first, second):
        for _, created in stream.told("message_created"):
            message = created["message"]
            place = by_sequence.setdefault(message["channel_id"], [])
            place.append((int(message["sequence"]), message["id"]))
    for channel in channels[:5]:
        listed = [m["id"] for m in member.messages(channel)]
        told_here = [message for _, message in sorted(by_sequence[channel])]
        assert [m for m in told_here if m in set(listed)] == listed


@pytest.mark.timeout(200)
def test_an_edit_and_a_deletion_while_away_are_told_on_return(frail: Live) -> None:
    owner, member = frail.sign_up("owner"), frail.sign_up("member")
    community = owner.found()["id"]
    channel = owner.open_channel(community)["id"]
    member.accept(owner.invite(community))
    first, second = owner.send(channel, "first"), owner.send(channel, "second")
    with Reader(member).open() as stream:
        owner.send(channel, "third")
        eventually(lambda: stream.texts() == ["third"], 5, "not told")
    path = f"/v1/channels/{channel}/messages"
    owner.do("PATCH", f"{path}/{first['id']}", json={"content": "first, better"})
    owner.do("DELETE", f"{path}/{second['id']}")
    owner.do("POST", f"{path}/{first['id']}:react", json={"emoji": "🎉"})
    with Reader(member).open(stream.resume_token) as back:
        eventually(lambda: len(back.told("reaction_added")) == 1, 5, "not told")
        ((_, updated),) = back.told("message_updated")
        assert updated["message"]["content"] == "first, better"
        ((_, deleted),) = back.told("message_deleted")
        assert deleted["message_id"] == second["id"]
        assert back.texts() == []


@pytest.mark.timeout(200)
def test_what_rbac_and_nats_being_away_allows(frail: Live) -> None:
    """rbac away, NATS away, both: writes are refused or right, reads go on, all comes back."""
    owner, member, outsider = (frail.sign_up(n) for n in ("owner", "member", "outsider"))
    community = owner.found()["id"]
    channel = owner.open_channel(community)["id"]
    member.accept(owner.invite(community))
    path = f"/v1/channels/{channel}/messages"
    for away in (["rbac"], ["nats"], ["rbac", "nats"]):
        member.send(channel, "before")
        with frail.stopped(*away):
            time.sleep(1.5)
            assert member.ask("GET", path).status_code in (200, 503)
            write = member.ask("POST", path, json={"content": f"with {away} away"})
            assert write.status_code == (503 if "rbac" in away else 200)
            for method, body in (("GET", None), ("POST", {"content": "let me in"})):
                refused = outsider.ask(method, path, json=body)
                assert refused.status_code in (404, 503), "nobody is let in meanwhile"
        eventually(lambda: member.ask("GET", path).is_success, 15, "did not come back")
        patiently(member, "POST", path, json={"content": "after", "nonce": str(away)})
    contents = [message["content"] for message in member.messages(channel)]
    assert "let me in" not in contents


@pytest.mark.timeout(200)
def test_a_revocation_and_a_write_at_once_leave_no_late_write(frail: Live) -> None:
    owner, member = frail.sign_up("owner"), frail.sign_up("member")
    community = owner.found()["id"]
    channel = owner.open_channel(community)["id"]
    path = f"/v1/channels/{channel}/messages"
    for number in range(15):
        member.accept(owner.invite(community))
        patiently(member, "POST", path, json={"content": f"{number}: in"})
        owner.do("DELETE", f"/v1/communities/{community}/members/{member.id}")
        # The very next call, on whichever replica.
        for attempt in range(4):
            late = member.ask("POST", path, json={"content": f"{number}: late {attempt}"})
            assert late.status_code == 404, f"round {number}, attempt {attempt}"


@pytest.mark.timeout(200)
def test_the_last_event_of_a_quiet_channel_comes_although_it_was_dropped(frail: Live) -> None:
    """The live message is lost with NATS; the look at the log each second finds it."""
    owner, member = frail.sign_up("owner"), frail.sign_up("member")
    community = owner.found()["id"]
    channel = owner.open_channel(community)["id"]
    member.accept(owner.invite(community))
    with Reader(member).open() as stream:
        for number in range(5):
            frail.kill("nats")
            owner.send(channel, f"last words {number}")
            last = f"last words {number}"
            eventually(lambda last=last: last in stream.texts(), 15, "was lost")  # type: ignore[misc]
            time.sleep(0.5)
        assert stream.ended is None
