"""Somebody deletes their account, and is forgotten everywhere."""

from __future__ import annotations

from collections.abc import Iterator
import os
import signal
import time
from typing import Any

import psycopg
import pytest

from chassis import catalog as catalogs
from chassis import ids
from local.databases import connected, database_of
from tests.live import PASSWORD, Live, Person, refusal, running, signed_out

KEEPING = {name for name, entry in catalogs.load().services.items() if entry.database}
WITHIN = 60.0


def delete(person: Person, password: str = PASSWORD) -> Any:
    return person.ask("POST", "/v1/account:delete", json={"password": password})


def confirmed(live: Live, user_id: str) -> set[str]:
    """Who has said that they forgot somebody."""
    who = ids.parse(ids.Kind.USER, user_id, field="user_id")
    with connected(live.home, database_of("user")) as connection:
        rows = connection.execute(
            "SELECT service FROM erasure_confirmation WHERE user_id = %s", (who,)
        ).fetchall()
    return {service for (service,) in rows}


def await_forgotten(live: Live, user_id: str) -> None:
    ends = time.monotonic() + WITHIN
    while confirmed(live, user_id) != KEEPING:
        assert time.monotonic() < ends, f"only {confirmed(live, user_id)} forgot"
        time.sleep(0.05)


def records(person: Person) -> list[Any]:
    """Everything that is kept of somebody."""
    found: list[Any] = []
    token = ""
    while True:
        query = {"page_size": 3, "page_token": token}
        page = person.do("GET", "/v1/users/me/records", params=query)
        found += page["records"]
        token = page["next_page_token"]
        if not token:
            return found


def mentions_of(live: Live, needle: str) -> list[str]:
    """The tables of all services in which a text still stands, but for what passes by itself."""
    found = []
    for service in sorted(KEEPING):
        with connected(live.home, database_of(service)) as connection:
            tables = connection.execute(
                "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
                " WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition"
            ).fetchall()
            for (table,) in tables:
                if table in ("outbox", "inbox"):
                    continue
                query = psycopg.sql.SQL("SELECT count(*) FROM {} AS t WHERE t::text ILIKE %s")
                ((count,),) = connection.execute(
                    query.format(psycopg.sql.Identifier(table)), (f"%{needle}%",)
                ).fetchall()
                if count:
                    found.append(f"{service}.{table}")
    return found


def test_who_deletes_their_account_is_forgotten_everywhere(live: Live) -> None:
    bob, ada = live.sign_up("bob"), live.sign_up("ada")
    community = bob.found()["id"]
    channel = bob.open_channel(community)["id"]
    ada.accept(bob.invite(community))
    ada.do("PATCH", "/v1/users/me", json={"bio": "A bio nobody else has: quixotic"})
    ada.do("POST", "/v1/users/me/blocks", json={"user_id": bob.id})
    ada.do("PATCH", "/v1/users/me/settings", json={"locale": "de"})
    said = ada.send(channel, "quixotic words of mine")
    ada.do(
        "PATCH",
        f"/v1/channels/{channel}/messages/{said['id']}",
        json={"content": "quixotic words, edited"},
    )
    heard = bob.send(channel, f"hello <@{ada.id}>")
    ada.do("POST", f"/v1/channels/{channel}/messages/{heard['id']}:react", json={"emoji": "🎉"})
    alone = ada.found("Quixotic club of one")["id"]
    ada.open_channel(alone, "quixotic")

    kinds = {(one["service"], one["kind"]) for one in records(ada)}
    assert {
        ("auth", "account"),
        ("auth", "session"),
        ("user", "profile"),
        ("user", "block"),
        ("user", "settings"),
        ("community", "member"),
        ("community", "community"),
        ("rbac", "binding"),
        ("chat", "message"),
        ("chat", "message_version"),
        ("chat", "reaction"),
        ("chat", "mention"),
    } <= kinds

    with bob.listening() as stream:
        assert delete(ada).is_success
        assert signed_out(ada)
        login = {"login": ada.handle, "password": PASSWORD}
        with live.client() as client:
            assert refusal(client.post("/v1/sessions", json=login)) == (401, "WRONG_CREDENTIALS")
        gone = stream.until("message_deleted", within=WITHIN)
    assert gone["message_id"] == said["id"]
    await_forgotten(live, ada.id)

    assert bob.do("GET", "/v1/users:batchGet", params={"user_ids": ada.id})["users"] == []
    assert [m["content"] for m in bob.messages(channel)] == [f"hello <@{ada.id}>"]
    assert bob.messages(channel)[0]["reactions"] == []
    for word in (ada.handle, "quixotic", f"{ada.handle}@example.org"):
        assert mentions_of(live, word) == []
    whose = str(ids.parse(ids.Kind.USER, ada.id, field="user_id"))
    assert set(mentions_of(live, whose)) <= {
        "auth.erasing",
        "chat.erasing",
        "chat.message",
        "community.erasing",
        "community.channel",
        "community.community",
        "rbac.erasing",
        "rbac.person",
        "user.erasing",
        "user.erasure",
        "user.erasure_confirmation",
    }


def test_a_handle_of_somebody_who_is_gone_is_nobodys(live: Live) -> None:
    mallory = live.sign_up("mallory")
    handle = mallory.handle
    assert delete(mallory).is_success
    for alike in (handle, handle.replace("m", "rn")):
        body = {"handle": alike, "email": "x@example.org", "password": PASSWORD}
        with live.client() as client:
            assert refusal(client.post("/v1/accounts", json=body)) == (409, "HANDLE_TAKEN")


def test_an_open_session_alone_deletes_nothing(live: Live) -> None:
    ada = live.sign_up("ada")
    assert refusal(delete(ada, "a guess at it")) == (401, "WRONG_CREDENTIALS")
    assert ada.ask("GET", "/v1/users/me").is_success


def test_who_owns_what_others_belong_to_hands_it_over_first(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community = ada.found()["id"]
    bob.accept(ada.invite(community))
    assert refusal(delete(ada)) == (400, "OWNS_COMMUNITIES")
    assert ada.ask("GET", "/v1/users/me").is_success
    ada.do("POST", f"/v1/communities/{community}:transfer", json={"user_id": bob.id})
    assert delete(ada).is_success
    await_forgotten(live, ada.id)
    assert bob.do("GET", f"/v1/communities/{community}")["owner_id"] == bob.id


def test_nobody_reads_what_is_kept_of_another(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    page = ada.do("GET", "/v1/users/me/records", params={"page_size": 1})
    stolen = bob.ask("GET", "/v1/users/me/records", params={"page_token": page["next_page_token"]})
    assert refusal(stolen) == (400, "INVALID_PAGE_TOKEN")
    of_bob = {one["content"].get("id") for one in records(bob) if one["kind"] == "account"}
    assert of_bob == {bob.id}
    shown = str(records(bob))
    assert "password_hash" not in shown
    assert "refresh_hash" not in shown


@pytest.fixture
def own() -> Iterator[Live]:
    """A platform whose services are stopped."""
    with running() as platform:
        yield platform


def test_a_service_that_was_away_forgets_when_it_is_back(own: Live) -> None:
    ada, bob = own.sign_up("ada"), own.sign_up("bob")
    community = bob.found()["id"]
    channel = bob.open_channel(community)["id"]
    ada.accept(bob.invite(community))
    ada.send(channel, "before chat slept")
    with own.stopped("chat"):
        assert delete(ada).is_success
        ends = time.monotonic() + WITHIN
        while confirmed(own, ada.id) != KEEPING - {"chat"}:
            assert time.monotonic() < ends, confirmed(own, ada.id)
            time.sleep(0.05)
        os.kill(own.pid("chat"), signal.SIGKILL)
    await_forgotten(own, ada.id)
    own.await_health()
    assert bob.messages(channel) == []
    listed = own.home.erased.read_text()
    assert listed.split()[0] == ada.id
    assert ada.handle not in listed
