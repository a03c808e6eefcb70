"""A platform that knows a provider, asked over REST as a browser does."""

from __future__ import annotations

from collections.abc import Iterator
import json
from typing import Any
import uuid

import httpx
import pytest

from tests.auth import provider as providers
from tests.auth.provider import CLIENT, SECRET, Provider
from tests.live import PASSWORD, Live, Person, refusal, running


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providers.running() as found:
        yield found


@pytest.fixture(scope="module")
def own(provider: Provider) -> Iterator[Live]:
    """A platform that names the provider."""
    named = {
        "id": "corp",
        "name": "Corp",
        "issuer": provider.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
    }
    with running(CREAVIO_OIDC_PROVIDERS=json.dumps([named])) as platform:
        yield platform


def come_back(live: Live, provider: Provider, subject: str) -> httpx.Response:
    """Sign in at the provider, and show the platform what came of it."""
    with live.client() as client:
        sent = client.get("/v1/providers/corp/authorization").json()
        said = provider.authorize(sent["authorization_url"], subject)
        return client.post(
            "/v1/sessions:provider", json={**said, "state_token": sent["state_token"]}
        )


def test_somebody_signs_up_and_in_again_from_somewhere_else(own: Live, provider: Provider) -> None:
    handle = f"ada-{uuid.uuid4().hex[:12]}"
    with own.client() as client:
        assert client.get("/v1/providers").json()["providers"] == [{"id": "corp", "name": "Corp"}]
        token = come_back(own, provider, handle).json()["sign_up_token"]
        body = {"sign_up_token": token, "handle": handle, "email": f"{handle}@example.org"}
        made = client.post("/v1/accounts:provider", json=body)
        assert made.is_success, made.text
        again = client.post("/v1/accounts:provider", json={**body, "handle": f"{handle}-2"})
        assert refusal(again) == (401, "INVALID_PROVIDER_ANSWER")
    session = come_back(own, provider, handle).json()["session"]
    assert session["user"]["id"] == made.json()["user"]["id"]
    ada = Person(own, handle, session)
    assert [one["provider_id"] for one in ada.do("GET", "/v1/identities")["identities"]] == ["corp"]


def test_who_has_no_password_proves_it_there(own: Live, provider: Provider) -> None:
    handle = f"ada-{uuid.uuid4().hex[:12]}"
    token = come_back(own, provider, handle).json()["sign_up_token"]
    body = {"sign_up_token": token, "handle": handle, "email": f"{handle}@example.org"}
    with own.client() as client:
        ada = Person(own, handle, client.post("/v1/accounts:provider", json=body).json())

    def proof() -> dict[str, Any]:
        sent = ada.do("POST", "/v1/identities/corp:beginProof", json={})
        said = provider.authorize(sent["authorization_url"], handle)
        shown = {**said, "state_token": sent["state_token"]}
        made = ada.do("POST", "/v1/identities:prove", json=shown)
        return {"proof": {"provider_token": made["provider_token"]}}

    spent = proof()
    ada.do("POST", "/v1/email:change", json={"email": f"{handle}@example.com", **spent})
    assert refusal(ada.ask("POST", "/v1/account:delete", json=spent)) == (
        401,
        "INVALID_PROVIDER_ANSWER",
    )
    assert refusal(ada.ask("POST", "/v1/account:delete", json={})) == (400, "INVALID_FIELD")
    ada.do("POST", "/v1/second-factor:begin", json=proof())
    ada.do("POST", "/v1/password:change", json={"new_password": PASSWORD, **proof()})
    own.sign_in(handle)
    ada.do("POST", "/v1/account:delete", json=proof())
    assert "session" not in come_back(own, provider, handle).json()


@pytest.mark.parametrize(
    ("forge", "claims"),
    [
        ("stranger", {}),
        ("none", {}),
        ("", {"aud": "another-app"}),
        ("", {"nonce": "another"}),
        ("", {"exp": 1_000_000_000}),
    ],
    ids=str,
)
def test_a_token_that_is_not_this_answer_signs_nobody_in(
    own: Live, provider: Provider, forge: str, claims: dict[str, Any]
) -> None:
    provider.forge, provider.claims = forge, claims
    try:
        answer = come_back(own, provider, "ada-there")
    finally:
        provider.forge, provider.claims = "", {}
    assert refusal(answer) == (401, "INVALID_PROVIDER_ANSWER")
