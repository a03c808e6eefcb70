"""What is fuzzed: each target takes bytes, reads them as the platform would, and checks what
is promised of that. A broken promise raises.

`make fuzz` looks for such bytes by coverage (`tests.fuzz.guided`); `tests/fuzz/corpus` keeps
what reached furthest, and every test run takes it again. docs/fuzzing.md says what there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import importlib
from typing import Final, TypeAlias

Check: TypeAlias = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Target:
    """A target, and where its code and the code that it tries are."""

    module: str
    """In this package; the function has the target's name."""
    tries: tuple[str, ...]
    """Modules and packages in which coverage is looked at."""

    @property
    def looked_at(self) -> tuple[str, ...]:
        """Where it is looked how far an input reaches: what is tried, and the target itself."""
        return (*self.tries, f"{__name__}.{self.module}")

    def load(self, name: str) -> Check:
        """The function. What it tries is imported now, and not before."""
        check: Check = getattr(importlib.import_module(f"{__name__}.{self.module}"), name)
        return check


TARGETS: Final = {
    "page_token": Target("tokens", ("chassis.tokens", "itsdangerous")),
    "resume_token": Target("tokens", ("services.gateway.engine.tokens", "chassis.tokens")),
    "access_token": Target("tokens", ("chassis.auth", "joserfc")),
    "identifier": Target("names", ("chassis.ids", "typeid", "services.chat.convert")),
    "handle": Target("names", ("services.user.domain", "services.auth.domain")),
    "community_search": Target("names", ("services.community.domain",)),
    "typed_code": Target("names", ("services.auth.domain.second_factor",)),
    "mentions": Target("texts", ("services.chat.domain.mentions", "chassis.ids", "typeid")),
    "shown_text": Target("texts", ("services.chat.domain.text",)),
    "event": Target("events", ("chassis.events", "chassis.subjects", "services.gateway")),
    "request": Target("requests", ("chassis.interceptors", "protovalidate")),
    "update_mask": Target("requests", ("chassis.wire", "services.community.convert")),
    "metadata": Target("requests", ("chassis.auth", "chassis.calls", "chassis.idempotency")),
    "redirect_uri": Target("apps", ("services.auth.domain.apps", "urllib.parse")),
    "authorization": Target("apps", ("services.auth.engine", "authlib")),
    "token_form": Target("apps", ("services.auth.engine", "authlib")),
    "cookie": Target("devices", ("services.auth.engine.cookies", "http.cookies")),
    "new_passkey": Target("devices", ("services.auth.engine.passkeys", "webauthn", "cbor2")),
    "shown_passkey": Target("devices", ("services.auth.engine.passkeys", "webauthn")),
    "policy_file": Target("files", ("local.policy_file", "yaml.constructor", "yaml.composer")),
    "sdk_answer": Target("clients", ("creavio_sdk.errors", "grpclib.client", "betterproto2")),
    "letter": Target("mail", ("services.auth.engine.letters", "email._header_value_parser")),
    "smtp_answer": Target("mail", ("services.auth.engine.outgoing", "smtplib")),
    "env_file": Target("files", ("chassis.config", "services.auth.engine.settings", "dotenv")),
    "limits_file": Target("files", ("mesh.topology",)),
    "calendar_event": Target(
        "requests", ("services.community.convert.calendar", "services.community.domain.calendar")
    ),
    "backup": Target("files", ("local.backup.archive", "local.backup.manifest", "tarfile")),
}
"""By name."""
