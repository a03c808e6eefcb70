"""Signing up, in and on, as people do it."""

from __future__ import annotations

from email import message_from_bytes, policy
import hashlib
import time
import uuid

import httpx
import pyotp
import pytest
import sqlalchemy as sa

from chassis import ids
from creavio.user.v1 import user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import UserServiceStub
from tests.live import PASSWORD, Listener, Live, Person, refusal, signed_out


def post(live: Live, path: str, **body: str) -> httpx.Response:
    return httpx.post(f"{live.url}/v1/{path}", json=body, timeout=15)


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
    assert refusal(post(live, "accounts", **body)) == (409, "HANDLE_TAKEN")
    assert accounts(live, handle) == []


def test_a_handle_is_taken_whatever_its_case(live: Live) -> None:
    ada = live.sign_up("ada")
    body = {"email": "eve@example.org", "password": PASSWORD, "display_name": "Eve"}
    for handle in (ada.handle, ada.handle.upper()):
        assert refusal(post(live, "accounts", handle=handle, **body)) == (409, "HANDLE_TAKEN")
    assert accounts(live, ada.handle) == ["settled"]


def mail_to(live: Live, address: str, subject: str, within: float = 10) -> str:
    """What came for an address under a subject, last."""
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        found = [
            message
            for file in sorted(live.home.mail.glob("*.eml"))
            if (message := message_from_bytes(file.read_bytes(), policy=policy.default))["To"]
            == address
            and message["Subject"] == subject
        ]
        if found:
            return str(found[-1].get_content())
        time.sleep(0.05)
    raise AssertionError(f"no mail {subject!r} within {within} s")


def token_in(content: str) -> str:
    return content.split("#token=")[1].split()[0]


def test_an_address_says_nothing_of_who_has_an_account(live: Live) -> None:
    email = f"{fresh()}@example.org"
    handles = [fresh("ada"), fresh("bob")]
    answers = [
        post(live, "accounts", handle=handle, email=email, password=PASSWORD) for handle in handles
    ]
    assert len({frozenset(answer.json()) for answer in answers}) == 1
    by_address = post(live, "sessions", login=email.upper(), password=PASSWORD)
    unknown = post(live, "sessions", login=f"{fresh()}@example.org", password=PASSWORD)
    assert refusal(by_address) == refusal(unknown) == (401, "WRONG_CREDENTIALS")
    assert by_address.content == unknown.content


def test_whoever_verifies_an_address_signs_in_by_it_and_the_next_is_told(live: Live) -> None:
    email = f"{fresh()}@example.org"
    ada, eve = fresh("ada"), fresh("eve")
    session = post(live, "accounts", handle=ada, email=email, password=PASSWORD).json()
    token = token_in(mail_to(live, email, "Verify your e-mail address"))
    assert post(live, "email:verify", token=token).json() == {}
    assert refusal(post(live, "email:verify", token=token)) == (401, "INVALID_LINK")
    headers = {"authorization": f"Bearer {session['access_token']}"}
    told = httpx.get(f"{live.url}/v1/email", headers=headers, timeout=15).json()
    assert told == {"email": email, "verified": True}
    signed_in = post(live, "sessions", login=email.upper(), password=PASSWORD)
    assert signed_in.json()["user"]["handle"] == ada
    assert post(live, "accounts", handle=eve, email=email, password=PASSWORD).is_success
    assert f"@{ada}" in mail_to(live, email, "You have an account already")


def test_a_forgotten_password_is_reset_and_everybody_signed_out(live: Live) -> None:
    email = f"{fresh()}@example.org"
    handle = fresh("ada")
    session = post(live, "accounts", handle=handle, email=email, password=PASSWORD).json()
    post(live, "email:verify", token=token_in(mail_to(live, email, "Verify your e-mail address")))
    answers = [
        post(live, "password:requestReset", email=asked)
        for asked in (email, f"{fresh()}@example.org")
    ]
    assert answers[0].status_code == 200
    assert answers[0].content == answers[1].content
    token = token_in(mail_to(live, email, "Reset your password"))
    new = "battery staple correct"
    assert post(live, "password:reset", token=token, new_password=new).is_success
    assert refusal(post(live, "password:reset", token=token, new_password=new)) == (
        401,
        "INVALID_LINK",
    )
    headers = {"authorization": f"Bearer {session['access_token']}"}
    over = httpx.get(f"{live.url}/v1/users/me", headers=headers, timeout=15)
    assert refusal(over) == (401, "SESSION_REVOKED")
    assert refusal(post(live, "sessions", login=email, password=PASSWORD)) == (
        401,
        "WRONG_CREDENTIALS",
    )
    assert post(live, "sessions", login=email, password=new).is_success
    assert mail_to(live, email, "Your password was changed")


def told_until_the_end(stream: Listener) -> None:
    while True:
        stream.next()


def test_a_change_of_password_leaves_the_session_it_is_made_in(live: Live) -> None:
    ada = live.sign_up("ada")
    other = live.sign_in(ada.handle)
    with other.listening(read_timeout=5) as stream:
        body = {"current_password": PASSWORD, "new_password": "battery staple correct"}
        assert ada.do("POST", "/v1/password:change", json=body) == {}
        with pytest.raises(StopIteration):
            told_until_the_end(stream)
    assert signed_out(other)
    assert ada.do("GET", "/v1/users/me")["handle"] == ada.handle
    wrong = ada.ask("POST", "/v1/password:change", json=body)
    assert refusal(wrong) == (401, "WRONG_CREDENTIALS")


def test_another_address_is_changed_to_by_its_mail(live: Live) -> None:
    ada = live.sign_up("ada")
    new = f"{fresh()}@example.org"
    body = {"email": new, "current_password": PASSWORD}
    assert ada.do("POST", "/v1/email:change", json=body) == {}
    assert ada.do("GET", "/v1/email")["email"] == f"{ada.handle}@example.org"
    token = token_in(mail_to(live, new, "Verify your e-mail address"))
    assert post(live, "email:verify", token=token).is_success
    assert ada.do("GET", "/v1/email") == {"email": new, "verified": True}


def test_mail_is_for_the_owner_of_the_folder_alone(live: Live) -> None:
    ada = live.sign_up("ada")
    content = mail_to(live, f"{ada.handle}@example.org", "Verify your e-mail address")
    assert f"http://localhost:{live.port}/verify-email#token=" in content
    assert live.home.mail.stat().st_mode & 0o777 == 0o700
    log = live.home.log("auth").read_text()
    assert "mail sent" in log
    assert f"{ada.handle}@example.org" not in log
    assert token_in(content) not in log


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
    assert refusal(refused) == (400, "INVALID_FIELD")
    assert refused.json()["details"][1]["field_violations"][0]["field"] == field


def test_a_login_nobody_can_have_is_refused(live: Live) -> None:
    refused = post(live, "sessions", login="a\0b", password=PASSWORD)
    assert refusal(refused) == (400, "INVALID_FIELD")


def spent(live: Live, *tokens: str) -> None:
    """Let the moment pass in which refresh tokens can be spent once more."""
    engine = sa.create_engine(live.database_url("creavio_auth"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        hashes = [hashlib.sha256(token.encode()).digest() for token in tokens]
        connection.execute(
            sa.text(
                "UPDATE session SET rotate_time = rotate_time - interval '10 seconds' "
                "WHERE previous_hash = ANY(:hashes)"
            ),
            {"hashes": hashes},
        )


def test_a_session_is_renewed_and_a_replay_ends_it(live: Live) -> None:
    first = live.sign_up("ada").session["refresh_token"]
    second = post(live, "sessions:refresh", refresh_token=first)
    again = post(live, "sessions:refresh", refresh_token=first)  # another tab
    good = second.json()["refresh_token"]
    assert again.json()["refresh_token"] == good
    spent(live, first)
    for token in (first, good):
        refused = post(live, "sessions:refresh", refresh_token=token)
        assert refusal(refused) == (401, "INVALID_REFRESH_TOKEN")


def test_every_session_is_its_own(live: Live) -> None:
    ada = live.sign_up("ada")
    other = post(live, "sessions", login=ada.handle, password=PASSWORD).json()["refresh_token"]
    first = ada.session["refresh_token"]
    post(live, "sessions:refresh", refresh_token=first)
    spent(live, first)
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
        token_in(mail_to(live, f"{handle}@example.org", "Verify your e-mail address")),
    }
    assert all(secrets)
    for log in live.home.logs.rglob("*"):
        if log.is_file():
            text = log.read_text(errors="replace")
            assert not [secret for secret in secrets if secret in text], log.name
    engine = sa.create_engine(live.database_url("creavio_auth"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        assert {"account", "session", "idempotency", "outbox"} | {"mail", "proof"} <= set(tables)
        rows = ""
        for table in tables:
            whole: sa.ColumnElement[str] = sa.literal_column(f'"{table}"::text')
            query = sa.select(whole).select_from(sa.table(table))
            rows += "\n".join(connection.execute(query).scalars())
    assert handle in rows
    assert not [secret for secret in secrets if secret in rows]


def test_with_a_second_factor_signing_in_takes_two_steps(live: Live) -> None:
    ada = live.sign_up("ada")
    begun = ada.do("POST", "/v1/second-factor:begin", json={"current_password": PASSWORD})
    assert begun["uri"].startswith("otpauth://totp/Creavio:")
    code = pyotp.TOTP(begun["secret"]).now()
    codes = ada.do("POST", "/v1/second-factor:confirm", json={"code": code})["codes"]
    asked = post(live, "sessions", login=ada.handle, password=PASSWORD).json()
    assert (asked["access_token"], asked["refresh_token"]) == ("", "")
    challenge = asked["challenge_token"]
    wrong = post(live, "sessions:complete", challenge_token=challenge, code="nonsense")
    assert refusal(wrong) == (401, "WRONG_CODE")
    done = post(live, "sessions:complete", challenge_token=challenge, code=codes[0])
    again = Person(live, ada.handle, done.json())
    assert again.do("GET", "/v1/second-factor")["recovery_codes_left"] == 9
    again.do("POST", "/v1/second-factor:disable", json={"proof": {"password": PASSWORD}})
    assert post(live, "sessions", login=ada.handle, password=PASSWORD).json()["access_token"]


def test_a_session_is_known_again_by_its_program_and_network(live: Live) -> None:
    ada = live.sign_up("ada")
    body = {"login": ada.handle, "password": PASSWORD}
    agent = "Creavio for Tests/1.0 " + "x" * 400
    headers = {"user-agent": agent, "x-forwarded-for": "203.0.113.9"}
    httpx.post(f"{live.url}/v1/sessions", json=body, headers=headers, timeout=15)
    newest, first = ada.do("GET", "/v1/sessions")["sessions"]
    assert newest["user_agent"] == agent[:256]
    # Where from says the edge, not the caller; and it says no address.
    assert newest["network"] == first["network"] == "127.0.0.0/24"
    assert newest["use_time"] == newest["create_time"]
    assert (first["current"], newest["current"]) == (True, False)
    assert first["user_agent"].startswith("python-httpx/")
