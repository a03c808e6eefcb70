"""Signing up, in and on, as people do it."""

from __future__ import annotations

import uuid

import httpx
import pytest
import sqlalchemy as sa

from chassis import ids
from creavio.user.v1 import user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import UserServiceStub
from tests.live import PASSWORD, Live


def post(live: Live, path: str, **body: str) -> httpx.Response:
    return httpx.post(f"{live.url}/v1/{path}", json=body, timeout=15)


def reason(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["details"][0]["reason"]


def fresh(name: str = "ada") -> str:
    return f"{name}-{uuid.uuid4().hex[:12]}"


def accounts(live: Live, handle: str) -> list[object]:
    """What auth's database holds under a handle."""
    engine = sa.create_engine(live.database_url("creavio_auth"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        query = sa.text("SELECT standing FROM account WHERE handle = :handle")
        return list(connection.execute(query, {"handle": handle}).scalars())


def test_signing_up_makes_account_and_profile(live: Live) -> None:
    ada = live.sign_up("ada")
    assert ada.do("GET", "/v1/users/me") == ada.session["user"]
    assert (ada.session["user"]["handle"], ada.session["user"]["bio"]) == (ada.handle, "")
    assert accounts(live, ada.handle) == ["settled"]
    assert post(live, "sessions", login=ada.handle, password=PASSWORD).is_success


async def test_a_handle_user_gave_to_another_leaves_no_account(live: Live) -> None:
    handle = fresh()
    async with live.as_service("auth") as auth:
        request = user_service_pb2.CreateUserRequest(
            user_id=ids.text(ids.Kind.USER, ids.new()), handle=handle, display_name="Earlier"
        )
        await auth.call(UserServiceStub(auth.channel).CreateUser, request)
    body = {"handle": handle, "email": "a@example.org", "password": PASSWORD}
    assert reason(post(live, "accounts", **body)) == (409, "HANDLE_TAKEN")
    assert accounts(live, handle) == []


def test_a_handle_is_taken_whatever_its_case(live: Live) -> None:
    ada = live.sign_up("ada")
    body = {"email": "eve@example.org", "password": PASSWORD, "display_name": "Eve"}
    for handle in (ada.handle, ada.handle.upper()):
        assert reason(post(live, "accounts", handle=handle, **body)) == (409, "HANDLE_TAKEN")
    assert accounts(live, ada.handle) == ["settled"]


def test_an_address_says_nothing_of_who_has_an_account(live: Live) -> None:
    email = f"{fresh()}@example.org"
    handles = [fresh("ada"), fresh("bob")]
    for handle, password in zip(handles, ("first password", "second password"), strict=True):
        body = {"handle": handle, "email": email, "password": password}
        assert post(live, "accounts", **body).is_success
    for handle, password in zip(handles, ("first password", "second password"), strict=True):
        signed_in = post(live, "sessions", login=email.upper(), password=password)
        assert signed_in.json()["user"]["handle"] == handle
    wrong = post(live, "sessions", login=email, password="third password")
    unknown = post(live, "sessions", login=f"{fresh()}@example.org", password="third password")
    assert reason(wrong) == reason(unknown) == (401, "WRONG_CREDENTIALS")
    assert wrong.content == unknown.content


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("handle", "a"),
        ("handle", "-ada"),
        ("handle", "ada lovelace"),
        ("handle", "ada@example"),
        ("handle", "x" * 33),
        ("email", "nowhere"),
        ("password", "7 chars"),
        ("password", "x" * 257),
        ("display_name", "x" * 65),
        ("display_name", "two\nlines"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(live: Live, field: str, value: str) -> None:
    body = {"handle": fresh(), "email": "ada@example.org", "password": PASSWORD, field: value}
    refused = post(live, "accounts", **body)
    assert reason(refused) == (400, "INVALID_FIELD")
    assert refused.json()["details"][1]["field_violations"][0]["field"] == field


def test_a_login_nobody_can_have_is_refused(live: Live) -> None:
    refused = post(live, "sessions", login="a\0b", password=PASSWORD)
    assert reason(refused) == (400, "INVALID_FIELD")


def test_a_session_is_renewed_and_a_spent_token_ends_it(live: Live) -> None:
    first = live.sign_up("ada").session["refresh_token"]
    second = post(live, "sessions:refresh", refresh_token=first)
    assert second.is_success
    spent = post(live, "sessions:refresh", refresh_token=first)
    assert reason(spent) == (401, "INVALID_REFRESH_TOKEN")
    good = second.json()["refresh_token"]
    assert reason(post(live, "sessions:refresh", refresh_token=good)) == (
        401,
        "INVALID_REFRESH_TOKEN",
    )


def test_every_session_is_its_own(live: Live) -> None:
    ada = live.sign_up("ada")
    other = post(live, "sessions", login=ada.handle, password=PASSWORD).json()["refresh_token"]
    first = ada.session["refresh_token"]
    post(live, "sessions:refresh", refresh_token=first)
    post(live, "sessions:refresh", refresh_token=first)  # ends that session
    assert post(live, "sessions:refresh", refresh_token=other).is_success


def test_a_password_stands_nowhere_in_clear(live: Live) -> None:
    password = f"secret {uuid.uuid4().hex}"
    handle = fresh()
    body = {"handle": handle, "email": f"{handle}@example.org", "password": password}
    session = post(live, "accounts", **body).json()
    post(live, "accounts", **body)
    post(live, "accounts", **{**body, "handle": "-", "password": password * 9})
    post(live, "sessions", login=handle, password=password)
    post(live, "sessions", login=password, password=password)
    renewed = post(live, "sessions:refresh", refresh_token=session["refresh_token"]).json()
    secrets = {
        password,
        session["access_token"],
        session["refresh_token"],
        renewed["refresh_token"],
    }
    assert all(secrets)
    for log in live.home.logs.rglob("*"):
        if log.is_file():
            text = log.read_text(errors="replace")
            assert not [secret for secret in secrets if secret in text], log.name
    engine = sa.create_engine(live.database_url("creavio_auth"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        assert {"account", "session", "idempotency", "outbox"} <= set(tables)
        rows = ""
        for table in tables:
            whole: sa.ColumnElement[str] = sa.literal_column(f'"{table}"::text')
            query = sa.select(whole).select_from(sa.table(table))
            rows += "\n".join(connection.execute(query).scalars())
    assert handle in rows
    assert not [secret for secret in secrets if secret in rows]
