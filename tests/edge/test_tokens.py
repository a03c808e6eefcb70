"""Nobody comes in with a token that is not auth's, and nobody is sent away by auth's absence."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

from joserfc.jwk import ECKey
import pytest

from creavio.options.v1 import rpc_pb2
from edge.rest import bindings_of
from tests.edge.errors import shape
from tests.edge.platform import KEYS, Keys, Platform, build, eventually, running

ME = "/v1/users/me"


def unsigned(**claims: object) -> str:
    parts = ({"alg": "none"}, {"iss": "creavio", "aud": "creavio", "sub": "usr_a", **claims})
    return ".".join(
        [
            *(
                base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode()
                for p in parts
            ),
            "",
        ]
    )


def test_a_valid_token_passes_and_travels_on(platform: Platform) -> None:
    token = platform.keys.token()
    assert platform.get(ME, token=token).status_code == 200
    (call,) = platform.services["user"].calls
    assert call.metadata["authorization"] == f"Bearer {token}"


def test_no_bad_token_passes(platform: Platform) -> None:
    keys = platform.keys
    hour = int(time.time()) + 3600
    head, claims, signature = keys.token().split(".")
    bad = {
        "garbage": "x.y.z",
        "one part": "x",
        "expired": keys.token(exp=int(time.time()) - 60),
        "no expiry": keys.token(exp=None),
        "not yet": keys.token(nbf=hour),
        "another audience": keys.token(aud="another"),
        "another issuer": keys.token(iss="another"),
        "alg none": unsigned(exp=hour),
        "alg none, signed": unsigned(exp=hour) + signature,
        "another key": Keys().token(header={"kid": keys.private.thumbprint()}),
        "an unknown key": Keys().token(),
        "changed claims": f"{head}.{keys.token(sub='usr_b').split('.')[1]}.{signature}",
        "cut signature": f"{head}.{claims}.{signature[:-4]}",
    }
    for name, token in bad.items():
        response = platform.get(ME, token=token)
        assert shape(response) == (401, 16, "UNAUTHENTICATED"), name
        assert response.headers["www-authenticate"] == "Bearer"
    for scheme in ("Bearer", "Basic dXNyX2E6eA==", keys.token(), f"bearer{keys.token()}"):
        assert shape(platform.get(ME, headers={"authorization": scheme}))[0] == 401
    assert not platform.services["user"].calls


def test_a_token_signed_with_the_published_key_as_a_secret_does_not_pass(
    platform: Platform,
) -> None:
    """The oldest trick: HS256 with the public key for a secret."""
    public = json.dumps(platform.keys.private.as_dict(private=False))
    head, claims, _ = platform.keys.token().split(".")
    forged = json.loads(base64.urlsafe_b64decode(head + "=="))
    forged["alg"] = "HS256"
    start = base64.urlsafe_b64encode(json.dumps(forged).encode()).rstrip(b"=").decode()
    digest = hmac.new(public.encode(), f"{start}.{claims}".encode(), hashlib.sha256).digest()
    end = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert shape(platform.get(ME, token=f"{start}.{claims}.{end}"))[0] == 401


def test_every_public_rpc_that_is_not_anonymous_demands_a_token(platform: Platform) -> None:
    public = [rpc for rpc in platform.contract.rpcs.values() if rpc.public]
    for binding in bindings_of(public):
        path = binding.template.replace("{", "").replace("}", "")
        response = platform.request(binding.verb, path, content="{}" if binding.has_body else None)
        anonymous = binding.rpc.policy.access == rpc_pb2.ACCESS_ANONYMOUS
        assert (response.status_code == 401) != anonymous, (binding.rpc.path, response.text)


def test_without_keys_a_token_cannot_be_judged_and_with_them_it_can() -> None:
    platform = build()
    try:
        for name, service in platform.services.items():
            if name != "auth":
                service.start()
        platform.start_envoy()
        response = platform.get(ME, token=platform.keys.token())
        assert shape(response) == (503, 14, "UNAVAILABLE")
        assert response.headers["retry-after"] == "1"
        assert "www-authenticate" not in response.headers
        assert shape(platform.get(ME)) == (401, 16, "UNAUTHENTICATED")
        platform.services["auth"].start()
        platform.services["auth"].answers[KEYS] = platform.keys.published
        waited = eventually(
            lambda: platform.get(ME, token=platform.keys.token()).status_code == 200
        )
        assert waited < 3
    finally:
        platform.stop()


def test_keys_are_kept_while_auth_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.authentication.MAX_KEY_AGE", 1.0)
    with running() as platform:
        time.sleep(1.5)  # Both of Envoy's threads have the keys after one round.
        platform.services["auth"].stop()
        until = time.monotonic() + 4
        while time.monotonic() < until:
            assert platform.get(ME, token=platform.keys.token()).status_code == 200
            time.sleep(0.2)


def test_a_key_that_auth_names_no_longer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.authentication.MAX_KEY_AGE", 1.0)
    with running() as platform:
        withdrawn = Keys(platform.keys.private)
        platform.keys.private = ECKey.generate_key("P-256")
        new = platform.keys.token()
        assert eventually(lambda: platform.get(ME, token=new).status_code == 200) < 4

        # Each of Envoy's threads learns of it by itself, and remembers a token it took before.
        def refused() -> bool:
            return platform.get(ME, token=withdrawn.token()).status_code == 401

        eventually(lambda: all(refused() for _ in range(10)))
