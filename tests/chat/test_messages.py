"""What the messages of a channel promise, on the running platform."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
import json
import time
from typing import Any
import unicodedata

import grpc
import httpx
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.errors import Invalid
from chassis.testing import Caller
from creavio.chat.v1 import message_service_pb2
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceStub
from tests.live import Live, Person

HOSTILE = {
    "bidi overrides": "\u202etxt.exe\u202c \u2066isolated\u2069",
    "zalgo": "Z" + "\u0323\u0335\u0348\u0301" * 60,
    "html": '<script>alert(1)</script><img src=x onerror="alert(1)">&amp;&#x41;',
    "sql": "'; DROP TABLE message; --",
    "decomposed": unicodedata.normalize("NFD", "Å café ẛ̣"),
    "joined emoji": "\U0001f469\u200d\U0001f467\U0001f3f4\U000e0067\U000e007f \U0001f1f3\U0001f1f1",
    "invisible": "a\u200bb\u2060c\ufeffd\u00ade",
    "controls": "\x01\x07\x1b[31mred\x7f\x85",
    "whitespace around": "\n\t  kept  \r\n",
    "noncharacters": "\uffff\ufdd0\U0010ffff",
    "json": '{"a": "\\u0041"}\\',
}


@dataclass(frozen=True)
class Table:
    """A channel, who owns it, and who else is in it."""

    ada: Person
    bob: Person
    community: str
    channel: str

    @property
    def path(self) -> str:
        return f"/v1/channels/{self.channel}/messages"


@pytest.fixture
def table(live: Live) -> Table:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community = ada.found()["id"]
    channel = ada.open_channel(community)["id"]
    bob.accept(ada.invite(community))
    return Table(ada, bob, community, channel)


def refused(reply: httpx.Response, status: int, reason: str, field: str | None = None) -> None:
    """Fails the test when the reply is not this error."""
    assert reply.status_code == status, reply.text
    details = reply.json()["details"]
    assert details[0]["reason"] == reason, reply.text
    if field is not None:
        assert [v["field"] for v in details[1]["field_violations"]] == [field], reply.text


def contents(messages: list[Any]) -> list[str]:
    return [message["content"] for message in messages]


def test_a_nonce_sent_twice_is_one_message(table: Table) -> None:
    with table.bob.listening() as heard:
        first = table.ada.send(table.channel, "once", nonce="n")
        assert first["nonce"] == "n"
        assert table.ada.send(table.channel, "once", nonce="n") == first
        table.ada.send(table.channel, "next")
        assert heard.until("message_created")["message"] == first
        assert heard.until("message_created")["message"]["content"] == "next"
    assert contents(table.bob.messages(table.channel)) == ["once", "next"]


def test_a_nonce_sent_at_once_many_times_is_one_message(table: Table) -> None:
    with ThreadPoolExecutor(8) as threads:
        send = [threads.submit(table.ada.send, table.channel, "once", "n") for _ in range(8)]
        assert len({sent.result()["id"] for sent in send}) == 1
    assert contents(table.ada.messages(table.channel)) == ["once"]


def test_a_nonce_of_another_text_is_a_conflict(table: Table) -> None:
    table.ada.send(table.channel, "once", nonce="n")
    reply = table.ada.ask("POST", table.path, json={"content": "other", "nonce": "n"})
    refused(reply, 409, "IDEMPOTENCY_KEY_REUSED")
    # A nonce belongs to its author, and to its channel.
    assert table.bob.send(table.channel, "mine", nonce="n")["sequence"] == "2"
    elsewhere = table.ada.open_channel(table.community)["id"]
    assert table.ada.send(elsewhere, "other", nonce="n")["sequence"] == "1"


def test_the_idempotency_key_header_is_the_nonce(table: Table) -> None:
    key = {"Idempotency-Key": "from-the-header"}
    sent = table.ada.do("POST", table.path, json={"content": "once"}, headers=key)
    assert sent["nonce"] == "from-the-header"
    assert table.ada.send(table.channel, "once", nonce="from-the-header") == sent
    body = {"content": "once", "nonce": "from-the-field"}
    assert table.ada.do("POST", table.path, json=body, headers=key)["nonce"] == "from-the-field"
    long = {"Idempotency-Key": "k" * 65}
    reply = table.ada.ask("POST", table.path, json={"content": "once"}, headers=long)
    refused(reply, 400, "INVALID_FIELD", "Idempotency-Key")


def test_only_the_author_edits(table: Table) -> None:
    place = f"{table.path}/{table.bob.send(table.channel, 'mine')['id']}"
    refused(table.ada.ask("PATCH", place, json={"content": "x"}), 403, "PERMISSION_DENIED")
    edited = table.bob.do("PATCH", place, json={"content": "still mine"})
    assert (edited["content"], edited["sequence"], edited["revision"]) == ("still mine", "1", "2")
    # Nothing changed: nothing happened.
    assert table.bob.do("PATCH", place, json={"content": "still mine"}) == edited


def test_who_moderates_deletes_what_others_wrote(table: Table) -> None:
    by_ada = f"{table.path}/{table.ada.send(table.channel, 'mine')['id']}"
    by_bob = f"{table.path}/{table.bob.send(table.channel, 'his')['id']}"
    refused(table.bob.ask("DELETE", by_ada), 403, "PERMISSION_DENIED")
    assert contents(table.bob.messages(table.channel)) == ["mine", "his"]
    assert table.ada.do("DELETE", by_bob) == {}
    assert contents(table.bob.messages(table.channel)) == ["mine"]


def test_deleting_twice_is_deleting_once(table: Table) -> None:
    place = f"{table.path}/{table.ada.send(table.channel, 'gone')['id']}"
    for _ in range(2):
        assert table.ada.do("DELETE", place) == {}
    # The second took no number.
    assert table.ada.send(table.channel, "next")["sequence"] == "3"


def test_what_is_deleted_cannot_be_edited(table: Table) -> None:
    place = f"{table.path}/{table.ada.send(table.channel, 'gone')['id']}"
    table.ada.do("DELETE", place)
    refused(table.ada.ask("PATCH", place, json={"content": "back"}), 404, "NOT_FOUND")


def test_a_message_is_in_one_channel_only(table: Table) -> None:
    message = table.ada.send(table.channel, "here")["id"]
    elsewhere = table.ada.open_channel(table.community, "elsewhere")["id"]
    nobodys = ids.text(ids.Kind.MESSAGE, ids.new())
    for channel, name in ((elsewhere, message), (table.channel, nobodys)):
        place = f"/v1/channels/{channel}/messages/{name}"
        refused(table.ada.ask("PATCH", place, json={"content": "x"}), 404, "NOT_FOUND")
        refused(table.ada.ask("DELETE", place), 404, "NOT_FOUND")
    assert contents(table.ada.messages(table.channel)) == ["here"]


def pages(person: Person, channel: str, size: int) -> Iterator[list[Any]]:
    token = ""
    while True:
        query: dict[str, str | int] = {"page_size": size, "page_token": token}
        page = person.do("GET", f"/v1/channels/{channel}/messages", params=query)
        yield page["messages"]
        token = page["next_page_token"]
        if not token:
            return


def test_pages_stay_exact_while_messages_arrive_and_go(table: Table) -> None:
    sent = [table.ada.send(table.channel, f"{number}") for number in range(25)]
    gone = sent.pop(12)
    seen: list[str] = []
    for page in pages(table.bob, table.channel, 10):
        assert len(page) in (10, 4)
        seen += contents(page)
        table.ada.send(table.channel, "meanwhile")
        table.ada.do("DELETE", f"{table.path}/{gone['id']}")
    assert seen == contents(sent)[::-1]


def test_a_page_that_holds_all_is_the_last(table: Table) -> None:
    for number in range(4):
        table.ada.send(table.channel, f"{number}")
    assert [len(page) for page in pages(table.ada, table.channel, 2)] == [2, 2]
    assert [len(page) for page in pages(table.ada, table.channel, 100)] == [4]


def test_a_list_is_fifty_long_unless_asked(table: Table) -> None:
    for number in range(51):
        table.ada.send(table.channel, f"{number}")
    page = table.bob.do("GET", table.path)
    assert contents(page["messages"]) == [f"{number}" for number in range(50, 0, -1)]


def test_a_cursor_is_good_for_its_list_and_person_only(table: Table) -> None:
    elsewhere = table.ada.open_channel(table.community, "elsewhere")["id"]
    for channel in (table.channel, elsewhere):
        for number in range(2):
            table.ada.send(channel, f"{number}")
    token = table.ada.do("GET", table.path, params={"page_size": 1})["next_page_token"]
    value, _, signature = token.partition(".")
    forged = {
        "tampered": f"{value}.{signature[:-4]}AAAA",
        "unsigned": value,
        "garbage": "x",
        "not text": "\u202e😀",
    }
    for name, bad in forged.items():
        reply = table.ada.ask("GET", table.path, params={"page_token": bad})
        refused(reply, 400, "INVALID_PAGE_TOKEN", "page_token")
        assert reply.json()["code"] == 3, name
    asked = {"page_token": token}
    reply = table.ada.ask("GET", f"/v1/channels/{elsewhere}/messages", params=asked)
    refused(reply, 400, "INVALID_PAGE_TOKEN", "page_token")
    refused(table.bob.ask("GET", table.path, params=asked), 400, "INVALID_PAGE_TOKEN", "page_token")
    assert contents(table.ada.do("GET", table.path, params=asked)["messages"]) == ["0"]


@pytest.mark.parametrize("size", [101, -1, 2**31 - 1])
def test_a_page_of_more_than_a_hundred_is_refused(table: Table, size: int) -> None:
    reply = table.ada.ask("GET", table.path, params={"page_size": size})
    refused(reply, 400, "INVALID_FIELD", "page_size")


@pytest.mark.parametrize("content", ["", "  ", "\n\t\u00a0\u3000"])
def test_a_blank_message_is_refused(table: Table, content: str) -> None:
    refused(
        table.ada.ask("POST", table.path, json={"content": content}),
        400,
        "INVALID_FIELD",
        "content",
    )
    place = f"{table.path}/{table.ada.send(table.channel, 'text')['id']}"
    reply = table.ada.ask("PATCH", place, json={"content": content})
    refused(reply, 400, "INVALID_FIELD", "content")
    refused(table.ada.ask("PATCH", place, json={}), 400, "INVALID_FIELD", "content")
    assert contents(table.ada.messages(table.channel)) == ["text"]


@pytest.mark.parametrize("character", ["a", "é", "中", "😀"])
def test_a_message_is_as_long_as_four_thousand_characters(table: Table, character: str) -> None:
    content = character * 4000
    assert table.ada.send(table.channel, content)["content"] == content
    # Escaped, as some clients send it: the most bytes it can take.
    escaped = json.dumps({"content": content}, ensure_ascii=True)
    headers = {"content-type": "application/json"}
    sent = table.ada.do("POST", table.path, content=escaped, headers=headers)
    assert sent["content"] == content
    reply = table.ada.ask("POST", table.path, json={"content": content + character})
    refused(reply, 400, "INVALID_FIELD", "content")
    assert contents(table.bob.messages(table.channel)) == [content, content]


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_text_comes_back_as_it_was_written(table: Table, content: str) -> None:
    with table.bob.listening() as heard:
        assert table.ada.send(table.channel, content)["content"] == content
        assert heard.until("message_created")["message"]["content"] == content
    assert contents(table.bob.messages(table.channel)) == [content]


async def test_what_no_text_can_hold_is_refused_by_name(live: Live, table: Table) -> None:
    reply = table.ada.ask("POST", table.path, json={"content": "a\0b"})
    refused(reply, 400, "INVALID_FIELD", "content")
    message = table.ada.send(table.channel, "text")["id"]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{live.port}") as channel:
        caller, messages = Caller(channel, table.ada.token), MessageServiceStub(channel)
        create = message_service_pb2.CreateMessageRequest
        for field, request in (
            ("content", create(channel_id=table.channel, content="a\0b")),
            ("nonce", create(channel_id=table.channel, content="text", nonce="a\0b")),
        ):
            with pytest.raises(Invalid) as error:
                await caller.call(messages.CreateMessage, request)
            assert [name for name, _ in error.value.fields] == [field]
        edit = message_service_pb2.UpdateMessageRequest(
            channel_id=table.channel, message_id=message, content="a\0b"
        )
        with pytest.raises(Invalid) as error:
            await caller.call(messages.UpdateMessage, edit)
        assert [name for name, _ in error.value.fields] == ["content"]
    assert contents(table.ada.messages(table.channel)) == ["text"]


def test_half_a_character_is_refused(table: Table) -> None:
    headers = {"content-type": "application/json"}
    reply = table.ada.ask("POST", table.path, content=b'{"content": "\\ud800"}', headers=headers)
    assert reply.status_code == 400, reply.text
    assert table.ada.messages(table.channel) == []


def test_everybody_at_once_gets_numbers_without_a_gap(table: Table) -> None:
    writers, each = 8, 10

    def write(writer: int) -> list[Any]:
        person = (table.ada, table.bob)[writer % 2]
        return [person.send(table.channel, f"{writer}/{number}") for number in range(each)]

    with ThreadPoolExecutor(writers) as threads:
        acknowledged = list(threads.map(write, range(writers)))
    kept = table.ada.messages(table.channel)
    assert [int(m["sequence"]) for m in kept] == list(range(1, writers * each + 1))
    assert sorted(m["id"] for m in kept) == sorted(m["id"] for run in acknowledged for m in run)
    for run in acknowledged:
        # What was acknowledged first stands first.
        numbers = [int(message["sequence"]) for message in run]
        assert numbers == sorted(numbers)


def test_changes_at_once_get_numbers_without_a_gap(table: Table) -> None:
    sent = [table.ada.send(table.channel, f"{number}") for number in range(16)]

    def change(message: Any) -> Any:
        place = f"{table.path}/{message['id']}"
        return table.ada.do("PATCH", place, json={"content": f"{message['content']}!"})

    with ThreadPoolExecutor(8) as threads:
        edited = list(threads.map(change, sent))
    assert sorted(int(m["revision"]) for m in edited) == list(range(17, 33))
    assert contents(table.bob.messages(table.channel)) == [f"{number}!" for number in range(16)]


def test_a_channel_no_event_told_of_is_asked_for(live: Live, table: Table) -> None:
    channel = table.ada.open_channel(table.community, "unheard of")["id"]
    forget_channel(live, channel)
    assert table.bob.messages(channel) == []
    assert table.ada.send(channel, "first")["sequence"] == "1"
    assert contents(table.bob.messages(channel)) == ["first"]
    nowhere = ids.text(ids.Kind.CHANNEL, ids.new())
    reply = table.ada.ask("GET", f"/v1/channels/{nowhere}/messages")
    refused(reply, 404, "NOT_FOUND")


def forget_channel(live: Live, channel: str) -> None:
    """Take the channel out of chat's database, once its event brought it there."""
    row = {"id": ids.parse(ids.Kind.CHANNEL, channel, field="channel_id")}
    engine = sa.create_engine(live.database_url("creavio_chat"), poolclass=sa.NullPool)
    ends = time.monotonic() + 5
    while True:
        with engine.begin() as connection:
            if connection.execute(sa.text("DELETE FROM channel WHERE id = :id"), row).rowcount:
                return
        assert time.monotonic() < ends, "chat never heard of the channel"
        time.sleep(0.02)
