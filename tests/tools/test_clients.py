"""What the SDKs are generated from the contracts with."""

from __future__ import annotations

from pathlib import Path
import re

import pytest

from tools import packages, policies, proto
from tools.model import Model
from tools.third_party import ResolveError

ROOT = proto.ROOT


def generated(folder: str) -> str:
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".ts"}
    )


@pytest.mark.parametrize("folder", [proto.SDK, proto.TYPESCRIPT])
def test_clients_know_every_public_rpc_and_no_other(model: Model, folder: str) -> None:
    text = generated(folder)
    for rpc in (rpc for service in model.services.values() for rpc in service.rpcs):
        known = re.search(rf"@generated from rpc {rpc.service}\.{rpc.name}\n|{rpc.path}\"", text)
        assert (known is not None) == rpc.public, rpc.path


@pytest.mark.parametrize("folder", [proto.SDK, proto.TYPESCRIPT])
def test_clients_are_told_what_the_contracts_promise(folder: str) -> None:
    assert "Once acknowledged it is kept, whatever fails afterwards." in generated(folder)


@pytest.mark.parametrize("folder", [proto.SDK, proto.TYPESCRIPT])
def test_clients_carry_no_options(folder: str) -> None:
    text = generated(folder)
    for word in ("buf/validate", "google/api", "RpcPolicy", "EventPolicy"):
        assert word not in text


def test_clients_know_which_calls_may_be_repeated(model: Model) -> None:
    python, typescript = policies.python(model), policies.typescript(model)
    for path, said in {
        "/creavio.chat.v1.MessageService/CreateMessage": (True, "nonce", False),
        "/creavio.chat.v1.MessageService/ListMessages": (True, "", False),
        # Their keys stand in each message of the stream.
        "/creavio.chat.v1.MessageService/SendMessages": (False, "", False),
        # Credentials are made anew.
        "/creavio.auth.v1.AccountService/CreateAccount": (False, "", True),
    }.items():
        repeatable, key, anonymous = said
        assert f'"{path}": Policy({repeatable}, "{key}", {anonymous}),' in python
        assert (
            f'"{path}": {{ repeatable: {str(repeatable).lower()}, key: "{key}", '
            f"anonymous: {str(anonymous).lower()} }}," in typescript
        )


def test_packages_that_are_installed_are_not_fetched_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "run", lambda *_, **__: pytest.fail("npm was run"))
    packages.install(project)


def test_a_changed_lock_is_installed_or_refused(project: Path) -> None:
    (project / packages.INSTALLED).unlink()
    (project / packages.LOCK).write_text("no lock")
    with pytest.raises(ResolveError, match="sdk/typescript cannot be fetched"):
        packages.install(project)
    assert not (project / packages.INSTALLED).exists()


def test_the_lock_names_no_registry() -> None:
    assert '"resolved"' not in (ROOT / packages.LOCK).read_text(encoding="utf-8")
