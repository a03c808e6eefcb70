"""A contract that cannot be published is a line with its file and name, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from tools import faults
from tools.faults import ContractError
from tools.model import Field, HttpBinding, Message, Model, Rpc

SERVICE = "creavio.chat.v1.MessageService"
CONTRACT = "proto/creavio/chat/v1/message_service.proto"
HTTP = """\
    option (google.api.http) = {
      post: "/v1/channels/{channel_id}/messages"
      body: "*"
    };
"""


def spoiled(model: Model, change: Callable[[Rpc], Rpc]) -> Model:
    """The contracts with `CreateMessage` changed."""
    service = model.services[SERVICE]
    rpcs = tuple(change(rpc) if rpc.name == "CreateMessage" else rpc for rpc in service.rpcs)
    services = model.services | {SERVICE: replace(service, rpcs=rpcs)}
    return Model(services, model.messages, model.enums)


def bound(verb: str, path: str, body: str = "*") -> Callable[[Rpc], Rpc]:
    return lambda rpc: replace(rpc, http=(HttpBinding(verb, path, body),))


def stating(**policy: Any) -> Callable[[Rpc], Rpc]:
    return lambda rpc: replace(rpc, policy=replace(rpc.policy, **policy))


def test_the_contracts_can_be_published(model: Model) -> None:
    faults.check(model)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rpc: replace(rpc, http=()), "it is public and has no http rule"),
        (bound("", "/v1/messages"), "names no verb"),
        (bound("post", "/v1/*/messages"), "wildcard outside a variable"),
        (bound("post", "/v1/rooms/{room_id}/messages"), "names room_id, which is no field"),
        (bound("post", "/v1/messages", "text"), "names text, which is no field"),
        (stating(access=""), "states no access"),
        (stating(idempotency="UNSPECIFIED"), "states no idempotency"),
        (stating(rate_limit=""), "states no rate_limit"),
        (stating(idempotency_field="key"), "idempotency_field 'key' is no field"),
        (
            lambda rpc: replace(rpc, comment="Fails with OUT_OF_PAPER."),
            "it fails with OUT_OF_PAPER, which creavio.errors.v1.Reason",
        ),
    ],
)
def test_what_is_wrong_with_an_rpc_is_one_line(
    model: Model, change: Callable[[Rpc], Rpc], why: str
) -> None:
    with pytest.raises(ContractError) as raised:
        faults.check(spoiled(model, change))
    (line,) = str(raised.value).splitlines()
    assert line.startswith(f"creavio/chat/v1/message_service.proto: {SERVICE}/CreateMessage: ")
    assert why in line


def test_a_limit_that_cannot_be_published_is_named_with_its_field(model: Model) -> None:
    rules = {"string": {"not_contains": "x"}}
    field = Field("mood", "string", "", "", False, False, "", rules)
    name = "creavio.a.v1.It"
    it = Message(name, "creavio/a/v1/it.proto", "It.", (field,), False, None)
    with pytest.raises(ContractError) as raised:
        faults.check(Model(model.services, model.messages | {name: it}, model.enums))
    said = f"creavio/a/v1/it.proto: {name}: mood: string.not_contains is not published yet"
    assert str(raised.value) == said


def test_every_fault_is_told_at_once(model: Model) -> None:
    with pytest.raises(ContractError) as raised:
        faults.check(
            spoiled(model, lambda rpc: replace(rpc, http=(), comment="Fails with NO_PAPER."))
        )
    (one, other) = str(raised.value).splitlines()
    assert "http rule" in one
    assert "fails with" in other


def test_the_command_tells_them_and_ends_with_1(project: Path) -> None:
    path = project / CONTRACT
    text = path.read_text(encoding="utf-8")
    assert HTTP in text
    path.write_text(text.replace(HTTP, ""), encoding="utf-8")
    stubs = {p: p.read_bytes() for p in (project / "gen").rglob("*") if p.is_file()}
    ended = subprocess.run(
        (sys.executable, "-m", "tools.proto"), cwd=project, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        f"creavio/chat/v1/message_service.proto: {SERVICE}/CreateMessage: it is public and has no "
        "http rule (google.api.http)\n"
    )
    assert stubs == {p: p.read_bytes() for p in (project / "gen").rglob("*") if p.is_file()}
