"""A provider of identities on loopback: OpenID Connect, and every lie a test wants of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import secrets
from threading import Thread
import time
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from pydantic import SecretStr

from services.auth.engine.providers import ProviderSettings

CLIENT, SECRET = "creavio", "a secret that is shared"


@dataclass
class Provider:
    """What it knows, and what it lies about."""

    url: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    """What stands in its tokens instead; None leaves a claim out."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """What stands in its metadata instead."""
    forge: str = ""
    """How its tokens are signed, if not as they should be."""
    asked: list[str] = field(default_factory=list)

    def authorize(self, url: str, subject: str) -> dict[str, str]:
        """Sign somebody in whom the platform sent; what they come back with."""
        query = dict(parse_qsl(urlsplit(url).query))
        assert query["code_challenge_method"] == "S256"
        assert query["client_id"] == CLIENT
        code = secrets.token_urlsafe(12)
        self.codes[code] = {**query, "sub": subject}
        return {"code": code, "state": query["state"]}

    def token(self, form: dict[str, list[str]], basic: str) -> dict[str, Any] | None:
        """The answer of its token endpoint; None refuses."""
        asked = self.codes.pop(form["code"][0], None)
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or basic != f"Basic {expected}":
            return None
        verifier = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if challenge != asked["code_challenge"]:
            return None
        if form["redirect_uri"][0] != asked["redirect_uri"]:
            return None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": asked["sub"],
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            **({"auth_time": now} if asked.get("max_age") == "0" else {}),
            **self.claims,
        }
        said = {name: value for name, value in claims.items() if value is not None}
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.signed(said)}

    def signed(self, claims: dict[str, Any]) -> str:
        """A token, signed as told."""
        if self.forge == "none":
            parts = ({"alg": "none"}, claims)
            texts = (
                base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
                for part in parts
            )
            return f"{'.'.join(texts)}."
        if self.forge == "shared":
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))
        key = ECKey.generate_key("P-256") if self.forge == "stranger" else self.key
        return jwt.encode({"alg": "ES256", "kid": "1"}, claims, key)

    def told(self) -> dict[str, Any]:
        """Its metadata."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            **self.metadata,
        }


def named(provider: Provider, **more: Any) -> ProviderSettings:
    """The provider, as a platform names it."""
    said = {
        "id": "corp",
        "name": "Corp",
        "issuer": provider.url,
        "client_id": CLIENT,
        "client_secret": SecretStr(SECRET),
        **more,
    }
    return ProviderSettings(**said)


@contextmanager
def running() -> Iterator[Provider]:
    """A provider, until the block ends."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("location", f"{provider.url}/keys")
                self.end_headers()
            elif self.path == "/keys":
                public = {**provider.key.as_dict(private=False), "kid": "1"}
                self._say(200, {"keys": [public]})
            elif self.path == "/large":
                self._say(200, {"keys": "x" * 1_000_000})
            elif self.path == "/deep":
                self._answer(200, b"[" * 100_000)
            else:
                self._say(200, provider.told())

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            length = int(self.headers["content-length"])
            form = parse_qs(self.rfile.read(length).decode())
            told = provider.token(form, self.headers.get("authorization", ""))
            self._say(400 if told is None else 200, told or {"error": "invalid_grant"})

        def _say(self, status: int, told: dict[str, Any]) -> None:
            self._answer(status, json.dumps(told).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
