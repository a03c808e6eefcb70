"""Who runs the machine says who administrates the instance."""

from __future__ import annotations

from collections.abc import Iterator
import time
import uuid

from joserfc import jws
import pyotp
import pytest
import sqlalchemy as sa

from local.home import Home
from local.operator import token_for
from tests.live import PASSWORD, Live, Person, refusal, running
from tests.local.commands import complaint, creavio

ADMINISTRATORS = "/v1/instance/administrators"


@pytest.fixture(scope="module")
def fresh() -> Iterator[Live]:
    """A platform that nobody administrates."""
    with running() as live:
        yield live


def administers(person: Person) -> bool:
    return person.ask("GET", ADMINISTRATORS).is_success


def test_the_first_administrator_and_the_next(fresh: Live) -> None:
    made = creavio(fresh.home, "admin", "create", "keeper", "--email", "k@example.org", answer="\n")
    assert made.returncode == 0, made.stderr
    password = made.stdout.split()[-1]
    with fresh.client() as client:
        reply = client.post("/v1/sessions", json={"login": "keeper", "password": password})
    keeper = Person(fresh, "keeper", reply.json())
    assert administers(keeper)
    member = fresh.sign_up("member")
    assert not administers(member)
    for _ in range(2):  # Again changes nothing.
        assert creavio(fresh.home, "admin", "promote", member.handle.upper()).returncode == 0
        assert administers(member)
    for _ in range(2):
        assert creavio(fresh.home, "admin", "demote", member.handle).returncode == 0
        assert not administers(member)
    assert "promote another one first" in complaint(
        creavio(fresh.home, "admin", "demote", "keeper")
    )
    assert administers(keeper)


def test_a_given_password_is_used_and_not_shown(live: Live) -> None:
    handle = f"admin-{uuid.uuid4().hex[:8]}"
    made = creavio(
        live.home,
        *("admin", "create", handle, "--email", "a@example.org"),
        answer="correct horse battery\n",
    )
    assert made.returncode == 0, made.stderr
    assert "battery" not in made.stdout
    assert administers(live.sign_in(handle))


def test_what_goes_wrong_is_one_line(live: Live, home: Home) -> None:
    taken = live.sign_up("taken").handle
    again = creavio(live.home, "admin", "create", taken, "--email", "a@example.org", answer="\n")
    assert f"creavio admin promote {taken}" in complaint(again)
    short = creavio(live.home, "admin", "create", "tiny", "--email", "a@example.org", answer="x\n")
    assert "password" in complaint(short)
    nobody = creavio(live.home, "admin", "promote", "nobody-at-all")
    assert complaint(nobody) == "nobody here is called nobody-at-all"
    assert creavio(home, "admin", "promote", "x").returncode == 3


def test_a_token_of_another_instance_is_nobodys(live: Live, fresh: Live) -> None:
    person = live.sign_up("somebody")
    forged = Person(
        live, person.handle, person.session | {"access_token": token_for(fresh.home, person.id)}
    )
    assert forged.ask("GET", "/v1/users/me").status_code == 401
    genuine = Person(
        live, person.handle, person.session | {"access_token": token_for(live.home, person.id)}
    )
    assert genuine.ask("GET", "/v1/users/me").is_success


def signs_up(live: Live, handle: str, code: str = "") -> tuple[int, str]:
    """What comes of signing up: the status, and the reason of a refusal."""
    body = {
        "handle": handle,
        "email": f"{handle}@example.org",
        "password": PASSWORD,
        "sign_up_code": code,
    }
    with live.client() as client:
        reply = client.post("/v1/accounts", json=body)
    return (reply.status_code, "") if reply.is_success else refusal(reply)


@pytest.fixture
def kept(fresh: Live) -> Person:
    """Whoever administrates the instance."""
    handle = f"keeper-{uuid.uuid4().hex[:8]}"
    made = creavio(
        fresh.home, "admin", "create", handle, "--email", "k@example.org", answer=f"{PASSWORD}\n"
    )
    assert made.returncode == 0, made.stderr
    return fresh.sign_in(handle)


def test_who_may_sign_up_is_for_the_instance_to_say(fresh: Live, kept: Person) -> None:
    def mode() -> str:
        with fresh.client() as client:
            return str(client.get("/v1/registration").json()["mode"])

    assert mode() == "REGISTRATION_MODE_OPEN"
    try:
        assert creavio(fresh.home, "admin", "registration", "invite").returncode == 0
        assert mode() == "REGISTRATION_MODE_INVITE"
        assert signs_up(fresh, "uninvited") == (403, "SIGN_UP_CODE_REFUSED")
        codes = "/v1/instance/sign-up-codes"
        code = kept.do("POST", codes, json={"max_uses": 1, "request_id": "one"})
        assert kept.do("POST", codes, json={"max_uses": 1, "request_id": "one"}) == code
        assert kept.do("GET", codes)["codes"] == [code]
        assert signs_up(fresh, "invited", code["code"]) == (200, "")
        assert signs_up(fresh, "invited-2", code["code"]) == (403, "SIGN_UP_CODE_REFUSED")
        another = kept.do("POST", codes, json={})["code"]
        kept.do("DELETE", f"{codes}/{another}")
        assert signs_up(fresh, "invited-3", another) == (403, "SIGN_UP_CODE_REFUSED")
        assert creavio(fresh.home, "admin", "registration", "closed").returncode == 0
        assert signs_up(fresh, "late") == (403, "REGISTRATION_CLOSED")
        made = creavio(fresh.home, "admin", "create", "chosen", "--email", "c@example.org")
        assert made.returncode == 0, made.stderr
    finally:
        kept.do("PATCH", "/v1/instance/registration", json={"mode": "REGISTRATION_MODE_OPEN"})
    assert signs_up(fresh, "welcome") == (200, "")


def test_where_addresses_are_to_be_verified_newcomers_join_and_read(
    fresh: Live, kept: Person
) -> None:
    host = fresh.sign_up("host")
    community = host.found()["id"]
    channel = host.open_channel(community)["id"]
    registration = "/v1/instance/registration"
    kept.do("PATCH", registration, json={"require_verified_email": True})
    try:
        guest = fresh.sign_up("guest")
        guest.accept(host.invite(community))
        assert guest.messages(channel) == []
        message = guest.ask("POST", f"/v1/channels/{channel}/messages", json={"content": "hello"})
        assert refusal(message) == (403, "EMAIL_NOT_VERIFIED")
        mine = guest.ask("POST", "/v1/communities", json={"name": "Mine"})
        assert refusal(mine) == (403, "EMAIL_NOT_VERIFIED")
        host.send(channel, "Welcome.")
    finally:
        kept = fresh.sign_in(kept.handle)
        kept.do("PATCH", registration, json={"require_verified_email": False})


def test_an_operator_lets_people_back_in_and_puts_them_out(fresh: Live, kept: Person) -> None:
    ada, bob = fresh.sign_up("ada"), fresh.sign_up("bob")
    begun = ada.do("POST", "/v1/second-factor:begin", json={"current_password": PASSWORD})
    code = pyotp.TOTP(begun["secret"]).now()
    ada.do("POST", "/v1/second-factor:confirm", json={"code": code})
    printed = creavio(fresh.home, "admin", "reset", ada.handle, "--second-factor").stdout
    link, token = printed.strip().split("#token=")
    assert link.endswith("/reset-password")
    body = {"token": token, "new_password": PASSWORD}
    with fresh.client() as client:
        assert client.post("/v1/password:reset", json=body).is_success
        assert refusal(client.post("/v1/password:reset", json=body)) == (401, "INVALID_LINK")
    assert refusal(ada.ask("GET", "/v1/users/me")) == (401, "SESSION_REVOKED")
    ada = fresh.sign_in(ada.handle)
    assert creavio(fresh.home, "admin", "sessions", "end", ada.handle).returncode == 0
    assert refusal(ada.ask("GET", "/v1/users/me")) == (401, "SESSION_REVOKED")
    assert bob.ask("GET", "/v1/users/me").is_success
    ada = fresh.sign_in(ada.handle)
    assert creavio(fresh.home, "admin", "sessions", "end", "--all").returncode == 0
    for person in (ada, bob, kept):
        assert refusal(person.ask("GET", "/v1/users/me")) == (401, "SESSION_REVOKED")
    assert "whose" in complaint(creavio(fresh.home, "admin", "sessions", "end"))


def test_keys_take_over_and_nobody_notices(fresh: Live, kept: Person) -> None:
    def published() -> list[str]:
        with fresh.client() as client:
            return [key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]]

    def kid(person: Person) -> str:
        return str(jws.extract_compact(person.token.encode()).headers()["kid"])

    ada = fresh.sign_up("ada")
    old = kid(ada)
    assert creavio(fresh.home, "admin", "keys", "rotate").returncode == 0
    assert len(published()) == 2
    assert published()[1] == old
    engine = sa.create_engine(fresh.database_url("creavio_auth"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        # The edge asks for keys every half minute: so much is left, and a little more.
        moved = "UPDATE signing_key SET sign_time = sign_time - interval '24 seconds'"
        connection.execute(sa.text(moved))
    fresh.kill("auth")
    fresh.await_recovery()
    ends = time.monotonic() + 60
    while kid(fresh.sign_in(ada.handle)) == old:
        assert time.monotonic() < ends, "no other key took over"
        time.sleep(0.2)
    again = fresh.sign_in(ada.handle)
    for person in (ada, again, kept):
        assert person.ask("GET", "/v1/users/me").is_success
    assert published()[1] == old
    assert creavio(fresh.home, "admin", "registration", "open").returncode == 0
