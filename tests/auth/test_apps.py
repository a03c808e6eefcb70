"""Apps of others: what they may be given, how, and everything they try besides."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
import httpx
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Database, Transaction
from chassis.testing import plan_of
from services.auth.domain import new_session
from services.auth.domain.apps import Code, Grant, InvalidRedirectUri, may_be_sent_to, new_app
from services.auth.domain.tokens import Scope
from services.auth.store import apps, grants
from tests.live import PASSWORD, Live, Person, refusal, signed_out

BACK = "https://app.example.org/back"
VERIFIER = secrets.token_urlsafe(48)


def challenge(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class App:
    """An app somebody registered, and what it asks with."""

    def __init__(self, owner: Person, **more: Any) -> None:
        body = {
            "name": "Clocks",
            "redirect_uris": [BACK],
            "scopes": ["TOKEN_SCOPE_READ", "TOKEN_SCOPE_WRITE"],
            "confidential": True,
            "proof": {"password": PASSWORD},
            **more,
        }
        made = owner.do("POST", "/v1/apps", json=body)
        self.live = owner.live
        self.id, self.secret = str(made["app"]["id"]), str(made["client_secret"])

    def asks(self, **more: str | None) -> dict[str, str]:
        """The query people are sent with."""
        query = {
            "client_id": self.id,
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "read write",
            "state": "xyz",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
            **more,
        }
        return {name: value for name, value in query.items() if value is not None}

    def code(self, person: Person, **more: str | None) -> str:
        """The code it is sent when somebody says yes."""
        said = person.do("POST", "/v1/authorization", json={**self.asks(**more), "approve": True})
        return str(parse_qs(urlsplit(said["redirect_uri"]).query)["code"][0])

    def post(self, path: str, **form: str) -> httpx.Response:
        """A form, with its secret in it when it has one."""
        known = {"client_id": self.id, **({"client_secret": self.secret} if self.secret else {})}
        return httpx.post(f"{self.live.url}/oauth2/{path}", data={**known, **form}, timeout=15)

    def exchange(self, code: str, **form: str) -> httpx.Response:
        asked = {"grant_type": "authorization_code", "redirect_uri": BACK}
        return self.post("token", **{**asked, "code": code, "code_verifier": VERIFIER, **form})

    def refresh(self, token: str, **form: str) -> httpx.Response:
        return self.post("token", grant_type="refresh_token", refresh_token=token, **form)


def acting(person: Person, token: str) -> Person:
    """The app, as it acts for somebody."""
    return Person(person.live, person.handle, {**person.session, "access_token": token})


def error(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, str(reply.json().get("error"))


async def test_a_stock_client_comes_by_tokens_refreshes_and_gives_them_back(live: Live) -> None:
    ada = live.sign_up("ada")
    app = App(live.sign_up("author"))
    async with AsyncOAuth2Client(
        app.id, app.secret, scope="read write", redirect_uri=BACK, code_challenge_method="S256"
    ) as client:
        with live.client() as nobody:
            told = nobody.get("/.well-known/oauth-authorization-server").json()
        sent, state = client.create_authorization_url(
            told["authorization_endpoint"], code_verifier=VERIFIER
        )
        query = dict(parse_qsl(urlsplit(sent).query))
        seen = ada.do("GET", "/v1/authorization", params=query)
        assert (seen["app"]["name"], seen["consented"]) == ("Clocks", False)
        said = ada.do("POST", "/v1/authorization", json={**query, "approve": True})["redirect_uri"]
        back = parse_qs(urlsplit(said).query)
        assert (back["state"], back["iss"]) == ([state], [told["issuer"]])
        endpoint = f"{live.url}/oauth2/token"
        token = await client.fetch_token(
            endpoint, authorization_response=said, state=state, code_verifier=VERIFIER
        )
        assert (token["token_type"], token["scope"]) == ("Bearer", "read write")
        me = await client.get(f"{live.url}/v1/users/me")
        assert me.json()["id"] == ada.id
        renewed = await client.refresh_token(endpoint)
        assert renewed["refresh_token"] != token["refresh_token"]
        asked = await client.introspect_token(
            f"{live.url}/oauth2/introspect", renewed["access_token"]
        )
        assert asked.json()["active"] is True
        assert (asked.json()["sub"], asked.json()["client_id"]) == (ada.id, app.id)
        gone = await client.revoke_token(f"{live.url}/oauth2/revoke", renewed["refresh_token"])
        assert gone.status_code == 200
    assert signed_out(acting(ada, renewed["access_token"]))
    assert ada.do("GET", "/v1/authorization", params=query)["consented"] is True


def test_what_is_served_is_told(live: Live) -> None:
    with live.client() as client:
        told = client.get("/.well-known/oauth-authorization-server").json()
    metadata = AuthorizationServerMetadata(told)
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    issuer = told["issuer"]
    assert all(told[f"{name}_endpoint"].startswith(issuer) for name in ("token", "revocation"))


def test_an_app_acts_within_what_it_was_given(live: Live) -> None:
    ada = live.sign_up("ada")
    app = App(live.sign_up("author"))
    got = app.exchange(app.code(ada, scope="read")).json()
    acts = acting(ada, got["access_token"])
    assert acts.do("GET", "/v1/users/me")["id"] == ada.id
    refused = acts.ask("POST", "/v1/communities", json={"name": "Mine"})
    assert refusal(refused) == (403, "INSUFFICIENT_SCOPE")
    for path in ("/v1/tokens", "/v1/consents", "/v1/sessions"):
        assert refusal(acts.ask("GET", path)) == (403, "SIGN_IN_REQUIRED")
    wider = app.refresh(got["refresh_token"], scope="read write")
    assert error(wider) == (400, "invalid_scope")
    assert app.refresh(got["refresh_token"]).json()["scope"] == "read"


def test_an_app_asks_for_no_more_than_it_registered(live: Live) -> None:
    ada = live.sign_up("ada")
    app = App(live.sign_up("author"), scopes=["TOKEN_SCOPE_READ"])
    for scope in ("read write", "write", "admin", "", None):
        said = ada.do("POST", "/v1/authorization", json={**app.asks(scope=scope), "approve": True})
        query = parse_qs(urlsplit(said["redirect_uri"]).query)
        assert (query["error"], query["state"]) == (["invalid_scope"], ["xyz"])
        assert "iss" in query
        assert "code" not in query


def test_a_no_is_told_and_nothing_given(live: Live) -> None:
    ada = live.sign_up("ada")
    app = App(live.sign_up("author"))
    said = ada.do("POST", "/v1/authorization", json=app.asks())["redirect_uri"]
    assert parse_qs(urlsplit(said).query)["error"] == ["access_denied"]
    assert ada.do("GET", "/v1/consents")["consents"] == []


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.org/back/",
        "https://app.example.org/back?x=1",
        "https://app.example.org/back/../evil",
        "https://app.example.org.evil.example/back",
        "https://app.example.org@evil.example/back",
        "https://app.example.org/back#",
        "HTTPS://app.example.org/back",
        "http://app.example.org/back",
        "//evil.example",
        "https://app.example.org/b\u00e4ck",
        'https://app.example.org/"back\\',
        "",
    ],
)
def test_nobody_is_sent_anywhere_but_where_it_was_registered(live: Live, uri: str) -> None:
    ada = live.sign_up("ada")
    app = App(live.sign_up("author"))
    for approve in (True, False):
        reply = ada.ask(
            "POST", "/v1/authorization", json={**app.asks(redirect_uri=uri), "approve": approve}
        )
        assert refusal(reply) == (400, "INVALID_AUTHORIZATION")
    query = app.asks(redirect_uri=uri)
    assert refusal(ada.ask("GET", "/v1/authorization", params=query))[0] == 400


@pytest.mark.parametrize("name", ["response_type", "client_id", "scope", "code_challenge"])
def test_what_oauth_cannot_say_is_refused(live: Live, name: str) -> None:
    ada = live.sign_up("ada")
    asked = {**App(live.sign_up("author")).asks(), name: "\u00e7q\x01"}
    for reply in (
        ada.ask("GET", "/v1/authorization", params=asked),
        ada.ask("POST", "/v1/authorization", json={**asked, "approve": True}),
    ):
        assert refusal(reply) == (400, "INVALID_AUTHORIZATION")


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.org/back",
        "http://localhost.evil.example/",
        "https://example.org/#x",
        "https://me:secret@example.org/",
        "https://*.example.org/",
        "javascript:alert(1)",
        "data:text/html,x",
        "app:/back",
        "https:///back",
        "https://exa mple.org",
        "https://b\u00fccher.example/",
        "https://example.org:port/",
        "https://example.org:65536/",
        "http://[::1]z80/",
        "https://^/",
        "https://example.org:/back",
        "http://example.org[::1]:80/",
        "/back",
    ],
)
def test_no_such_address_is_registered(uri: str) -> None:
    with pytest.raises(InvalidRedirectUri):
        may_be_sent_to(uri)


def test_addresses_of_devices_and_of_apps_are_registered() -> None:
    for uri in ("http://127.0.0.1:8000/back", "http://[::1]/", "org.example.app:/back", BACK):
        may_be_sent_to(uri)


@pytest.mark.parametrize(
    "more",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
    ],
)
def test_there_is_no_way_around_pkce(live: Live, more: dict[str, str | None]) -> None:
    ada = live.sign_up("ada")
    app = App(live.sign_up("author"))
    said = ada.do("POST", "/v1/authorization", json={**app.asks(**more), "approve": True})
    assert parse_qs(urlsplit(said["redirect_uri"]).query)["error"] == ["invalid_request"]


def test_a_code_wants_its_verifier_its_address_and_its_app(live: Live) -> None:
    ada, author = live.sign_up("ada"), live.sign_up("author")
    app, other = App(author), App(author)
    code = app.code(ada)
    wrong: list[Callable[[], httpx.Response]] = [
        lambda: app.exchange(code, code_verifier=secrets.token_urlsafe(48)),
        lambda: app.exchange(code, code_verifier=challenge()),
        lambda: app.exchange(code, redirect_uri=f"{BACK}/other"),
        lambda: other.exchange(code),
        lambda: app.exchange("nosuchcode"),
    ]
    for attempt in wrong:
        assert error(attempt()) == (400, "invalid_grant")
    assert error(app.post("token", grant_type="authorization_code", code=code))[0] == 400
    assert app.exchange(code).is_success


def test_an_app_proves_which_it_is(live: Live) -> None:
    ada, author = live.sign_up("ada"), live.sign_up("author")
    app, public = App(author), App(author, confidential=False)
    code = app.code(ada)
    assert error(app.exchange(code, client_secret="guessed"))[0] == 401
    bare = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    url = f"{live.url}/oauth2/token"
    nothing = httpx.post(
        url, data={**bare, "client_id": app.id, "code_verifier": VERIFIER}, timeout=15
    )
    assert error(nothing) == (401, "invalid_client")
    assert nothing.headers["www-authenticate"].lower().startswith("basic")
    basic = httpx.post(
        url, data={**bare, "code_verifier": VERIFIER}, auth=(app.id, app.secret), timeout=15
    )
    assert basic.is_success
    assert public.secret == ""
    assert public.exchange(public.code(ada)).is_success
    asked = public.post("introspect", token=basic.json()["access_token"])
    assert error(asked)[0] == 401
    rotated = author.do(
        "POST", f"/v1/apps/{app.id}:rotateSecret", json={"proof": {"password": PASSWORD}}
    )
    assert error(app.exchange(app.code(ada)))[0] == 401
    app.secret = rotated["client_secret"]
    assert app.exchange(app.code(ada)).is_success


def test_a_code_used_twice_ends_what_it_gave(live: Live) -> None:
    ada = live.sign_up("ada")
    app = App(live.sign_up("author"))
    code = app.code(ada)
    got = app.exchange(code).json()
    acts = acting(ada, got["access_token"])
    with acts.listening() as stream:
        assert error(app.exchange(code)) == (400, "invalid_grant")
        assert stream.until("ended")["reason"] == "SESSION_REVOKED"
    assert signed_out(acts)
    assert error(app.refresh(got["refresh_token"])) == (400, "invalid_grant")


def test_a_refresh_token_presented_again_ends_what_the_app_has(live: Live) -> None:
    ada = live.sign_up("ada")
    app = App(live.sign_up("author"))
    first = app.exchange(app.code(ada)).json()
    second = app.refresh(first["refresh_token"]).json()
    # A moment later it is the same answer: the first one may have been lost.
    assert app.refresh(first["refresh_token"]).json()["refresh_token"] == second["refresh_token"]
    third = app.refresh(second["refresh_token"]).json()
    assert error(app.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert error(app.refresh(third["refresh_token"])) == (400, "invalid_grant")
    assert refusal(acting(ada, third["access_token"]).ask("GET", "/v1/users/me"))[0] == 401


def test_tokens_of_people_and_of_apps_are_not_the_same(live: Live) -> None:
    ada = live.sign_up("ada")
    app = App(live.sign_up("author"))
    got = app.exchange(app.code(ada)).json()
    assert error(app.refresh(ada.session["refresh_token"])) == (400, "invalid_grant")
    with live.client() as client:
        body = {"refresh_token": got["refresh_token"]}
        assert refusal(client.post("/v1/sessions:refresh", json=body))[0] == 401
    other = App(live.sign_up("other"))
    assert error(other.refresh(got["refresh_token"])) == (400, "invalid_grant")
    for token in (got["access_token"], ada.token, "nothing"):
        assert other.post("introspect", token=token).json() == {"active": False}
    assert other.post("revoke", token="nothing").is_success
    assert other.post("revoke", token=got["access_token"]).status_code == 400
    assert acting(ada, got["access_token"]).do("GET", "/v1/users/me")["id"] == ada.id


def test_a_consent_is_listed_and_taken_back(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    app = App(live.sign_up("author"))
    got, others = app.exchange(app.code(ada)).json(), app.exchange(app.code(bob)).json()
    unused = app.code(ada)
    (consent,) = ada.do("GET", "/v1/consents")["consents"]
    assert consent["app"]["id"] == app.id
    for _ in range(2):
        ada.do("DELETE", f"/v1/consents/{app.id}")
    assert ada.do("GET", "/v1/consents")["consents"] == []
    assert refusal(acting(ada, got["access_token"]).ask("GET", "/v1/users/me"))[0] == 401
    assert error(app.refresh(got["refresh_token"])) == (400, "invalid_grant")
    assert error(app.exchange(unused)) == (400, "invalid_grant")
    assert acting(bob, others["access_token"]).do("GET", "/v1/users/me")["id"] == bob.id


def test_a_deleted_app_and_another_password_end_everything(live: Live) -> None:
    ada, author = live.sign_up("ada"), live.sign_up("author")
    app, kept = App(author), App(author)
    got, other = app.exchange(app.code(ada)).json(), kept.exchange(kept.code(ada)).json()
    ada.do("DELETE", f"/v1/apps/{app.id}")  # Another's: nothing happens.
    assert len(author.do("GET", "/v1/apps")["apps"]) == 2
    author.do("DELETE", f"/v1/apps/{app.id}")
    assert refusal(acting(ada, got["access_token"]).ask("GET", "/v1/users/me"))[0] == 401
    assert acting(ada, other["access_token"]).ask("GET", "/v1/users/me").is_success
    change = {"current_password": PASSWORD, "new_password": "another horse"}
    ada.do("POST", "/v1/password:change", json=change)
    assert refusal(acting(ada, other["access_token"]).ask("GET", "/v1/users/me"))[0] == 401


def test_forms_are_read_as_they_are_written(live: Live) -> None:
    app = App(live.sign_up("author"))
    url, kind = f"{live.url}/oauth2/token", {"content-type": "application/x-www-form-urlencoded"}
    twice = httpx.post(url, content="grant_type=a&grant_type=b", headers=kind, timeout=15)
    assert refusal(twice) == (400, "MALFORMED_REQUEST")
    odd = "grant_type=%22%7D%2C%00%0a%5c&&=x&client_id&code=" + "%c3%a9+%2B"
    reply = httpx.post(url, content=odd, headers=kind, timeout=15)
    assert reply.status_code == 400
    assert httpx.post(url, content="", headers=kind, timeout=15).status_code == 400
    assert httpx.post(url, json={"grant_type": "password"}, timeout=15).status_code == 400
    assert httpx.post(url, content="x" * 9_000, headers=kind, timeout=15).status_code == 413
    assert app.post("token", grant_type="implicit").json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("said", ["/w==", "!", "\xff", "YQ"])
def test_a_proof_that_cannot_be_read_is_none(live: Live, said: str) -> None:
    header = {b"authorization": f"Basic {said}".encode("latin-1")}
    for path in ("token", "revoke", "introspect"):
        form = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}
        reply = httpx.post(f"{live.url}/oauth2/{path}", data=form, headers=header, timeout=15)
        assert error(reply) == (401, "invalid_client")


async def test_every_question_has_its_index(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> None:
    owner, user, now = ids.new(), ids.new(), datetime.now(UTC)
    async with scratch("auth") as database:
        async with database.transaction() as tx:
            for number in range(20):
                app = new_app(ids.new(), "x", [BACK], [Scope.READ], None, now)
                await apps.add_app(tx, app)
                await apps.consent(tx, ids.new(), app.id, [Scope.READ], now)
                code = Code(b"%d" % number, app.id, ids.new(), BACK, (Scope.READ,), "x", now)
                await grants.add_code(tx, code)
                session = new_session(ids.new(), b"x", ids.new(), now)
                await grants.add_grant(tx, Grant(session, app.id, (Scope.READ,)))
        async with database.transaction() as tx:
            # Of so few rows none would be looked up by an index, if there was another way.
            await tx.execute(sa.text("SET enable_seqscan = off"))
        asks: list[Callable[[Transaction], Awaitable[object]]] = [
            lambda tx: apps.app(tx, app.id),
            lambda tx: apps.apps_of(tx, owner),
            lambda tx: apps.consented(tx, user, app.id),
            lambda tx: apps.consents_of(tx, user, 100),
            lambda tx: grants.code_to_use(tx, b"1"),
            lambda tx: grants.grant_to_change(tx, ids.new(), now),
            lambda tx: grants.end_grants(tx, now, account_id=user),
            lambda tx: grants.end_grants(tx, now, app_id=app.id),
            lambda tx: grants.forget_expired(tx),
        ]
        for ask in asks:
            plan = await plan_of(database, ask)
            assert "Seq Scan on app" not in plan, plan


def test_registering_takes_a_password_and_a_decent_address(live: Live) -> None:
    author = live.sign_up("author")
    body = {
        "name": "x",
        "redirect_uris": ["http://example.org/"],
        "scopes": ["TOKEN_SCOPE_READ"],
        "proof": {"password": PASSWORD},
    }
    assert refusal(author.ask("POST", "/v1/apps", json=body)) == (400, "INVALID_REDIRECT_URI")
    body |= {"redirect_uris": [BACK], "proof": {"password": "guessed"}}
    assert refusal(author.ask("POST", "/v1/apps", json=body)) == (401, "WRONG_CREDENTIALS")
    assert author.do("GET", "/v1/apps")["apps"] == []
