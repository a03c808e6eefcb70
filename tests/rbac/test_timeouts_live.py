"""Timeouts, as members meet them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
import time
from typing import Any

import grpc
import pytest

from chassis.testing import eventually
from creavio.chat.v1 import message_service_pb2
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceStub
from tests.live import Live, Person, refusal

MODERATE = "PERMISSION_MODERATE_MEMBERS"


class Table:
    """A community with a channel, an owner, a moderator and a member."""

    def __init__(self, live: Live) -> None:
        self.owner, self.moderator, self.bob = (
            live.sign_up(name) for name in ("owner", "moderator", "bob")
        )
        self.id = str(self.owner.found()["id"])
        self.channel = str(self.owner.open_channel(self.id)["id"])
        for person in (self.moderator, self.bob):
            person.accept(self.owner.invite(self.id))
        body = {"name": "moderator", "allow": [MODERATE]}
        role = self.owner.do("POST", self.path("/roles"), json=body)["id"]
        grant = {"role_id": role}
        self.owner.do("POST", self.path(f"/members/{self.moderator.id}/roles"), json=grant)

    def path(self, rest: str) -> str:
        return f"/v1/communities/{self.id}{rest}"

    def time_out(self, by: Person, seconds: int = 600) -> Any:
        body = {"user_id": self.bob.id, "seconds": seconds, "reason": "loud"}
        return by.do("POST", self.path("/timeouts"), json=body)

    def written_down(self, wanted: Callable[[Any], bool], count: int) -> list[Any]:
        """So many entries of the audit log that are wanted, the newest first."""
        ends = time.monotonic() + 20
        while True:
            entries = self.owner.do("GET", self.path("/audit-log"))["entries"]
            found = [entry for entry in entries if wanted(entry)]
            if len(found) >= count:
                return found
            assert time.monotonic() < ends, "it was not written down"
            time.sleep(0.1)


@pytest.fixture
def table(live: Live) -> Table:
    return Table(live)


def test_whoever_is_timed_out_reads_on_and_does_nothing(table: Table) -> None:
    bob, channel = table.bob, table.channel
    message = bob.send(channel, "before")["id"]
    table.time_out(table.moderator)
    place = f"/v1/channels/{channel}/messages"
    for verb, path, body in (
        ("POST", place, {"content": "hello"}),
        ("PATCH", f"{place}/{message}", {"content": "changed"}),
        ("POST", f"{place}/{message}:react", {"emoji": "a"}),
        ("POST", table.path("/invites"), {}),
        ("POST", table.path("/channels"), {"name": "mine"}),
        ("DELETE", table.path(f"/timeouts/{bob.id}"), None),
    ):
        reply = bob.ask(verb, path, **({} if body is None else {"json": body}))
        assert refusal(reply) == (403, "PERMISSION_DENIED"), path
    table.owner.send(channel, "to everybody")
    assert [m["content"] for m in bob.messages(channel)] == ["before", "to everybody"]
    table.moderator.do("DELETE", table.path(f"/timeouts/{bob.id}"))
    bob.send(channel, "after")


def test_it_ends_by_itself(table: Table) -> None:
    table.time_out(table.moderator, seconds=2)
    place = f"/v1/channels/{table.channel}/messages"
    assert refusal(table.bob.ask("POST", place, json={"content": "x"}))[0] == 403
    ends = time.monotonic() + 20
    while not table.bob.ask("POST", place, json={"content": "x"}).is_success:
        assert time.monotonic() < ends, "it did not end"
        time.sleep(0.1)


def test_the_person_and_moderators_are_told_and_the_audit_log_says_it(table: Table) -> None:
    with table.bob.listening() as bob, table.moderator.listening() as moderator:
        made = table.time_out(table.moderator)
        bob.until("access_changed")
        assert bob.until("member_timed_out")["timeout"] == made
        assert moderator.until("member_timed_out")["timeout"] == made
        table.owner.do("DELETE", table.path(f"/timeouts/{table.bob.id}"))
        ended = bob.until("member_timeout_ended")
        assert ended["actor_id"] == table.owner.id
    written = table.written_down(lambda entry: entry["target_id"] == table.bob.id, 2)
    assert [(entry["action"], entry["actor_id"]) for entry in written[:2]] == [
        ("AUDIT_ACTION_TIMEOUT_ENDED", table.owner.id),
        ("AUDIT_ACTION_MEMBER_TIMED_OUT", table.moderator.id),
    ]


def test_who_gave_whom_what_is_in_the_audit_log(table: Table) -> None:
    roles = table.owner.do("GET", table.path("/roles"))["roles"]
    role = next(each["id"] for each in roles if each["name"] == "moderator")
    table.owner.do("POST", table.path(f"/members/{table.bob.id}/roles"), json={"role_id": role})
    override = table.path(f"/channels/{table.channel}/overrides/{table.bob.id}")
    table.owner.do("PUT", override, json={"deny": ["PERMISSION_SEND_MESSAGES"]})
    (granted,) = table.written_down(lambda entry: entry["target_id"] == table.bob.id, 1)
    assert granted["action"] == "AUDIT_ACTION_ROLE_GRANTED"
    assert [(c["field"], c["after"]) for c in granted["changes"]] == [("role", "moderator")]
    (overridden,) = table.written_down(
        lambda entry: entry["action"] == "AUDIT_ACTION_OVERRIDE_CHANGED", 1
    )
    channels = table.owner.do("GET", table.path("/channels"))["channels"]
    names = {channel["id"]: channel["name"] for channel in channels}
    assert overridden["target_id"] == table.channel
    assert overridden["target_name"] == names[table.channel]
    assert [(c["field"], c["after"]) for c in overridden["changes"]] == [
        ("user_id", table.bob.id),
        ("deny", "SEND_MESSAGES"),
    ]


@pytest.fixture
async def edge(live: Live) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{live.port}") as channel:
        yield channel


async def test_a_stream_that_was_open_sends_nothing_more(
    table: Table, edge: grpc.aio.Channel
) -> None:
    metadata = (("authorization", f"Bearer {table.bob.token}"),)
    call: Any = MessageServiceStub(edge).SendMessages(metadata=metadata)
    sent = 0

    async def says() -> str:
        """The reason a message is refused for; empty when it is taken."""
        nonlocal sent
        sent += 1
        request = message_service_pb2.SendMessagesRequest()
        request.message.channel_id, request.message.content = table.channel, "x"
        request.message.nonce = f"n{sent}"
        await call.write(request)
        async with asyncio.timeout(15):
            answer = await call.read()
        return "" if answer.HasField("message") else str(answer.error)

    try:
        assert await says() == ""
        table.time_out(table.moderator)

        async def refused() -> None:
            assert "PERMISSION_DENIED" in await says()

        await eventually(refused, within=10)
        table.moderator.do("DELETE", table.path(f"/timeouts/{table.bob.id}"))
        assert await says() == "", "and goes on when it is lifted"
    finally:
        call.cancel()
