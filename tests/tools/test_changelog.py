"""The contract changelog tells what came, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import changelog, proto, reader
from tools.model import Model

FIRST = proto.ROOT / changelog.RELEASES / "0.1.0.binpb"


@pytest.fixture(scope="module")
def first() -> Model:
    return reader.load(FIRST.read_bytes())


def test_what_did_not_change_is_no_news(model: Model) -> None:
    assert list(changelog.added(model, model)) == []


def test_every_call_and_reason_that_came_is_told(first: Model, model: Model) -> None:
    told = "\n".join(changelog.added(first, model))
    known = {rpc.path for rpc in first.public_rpcs}
    for service in model.services.values():
        for rpc in service.rpcs:
            named = f"call `{rpc.path[1:].removeprefix('creavio.')}`" in told
            assert named == (rpc.public and rpc.path not in known), rpc.path
    assert "value `REASON_INSUFFICIENT_SCOPE`" in told
    assert "value `REASON_NOT_FOUND`" not in told


def test_a_field_and_an_event_that_came_are_told(model: Model) -> None:
    before = reader.load((proto.ROOT / proto.DESCRIPTORS).read_bytes())
    message = before.messages["creavio.chat.v1.Message"]
    before.messages[message.name] = type(message)(
        message.name, message.file, message.comment, message.fields[:-1], False, None
    )
    del before.messages["creavio.chat.v1.MessageCreated"]
    lines = list(changelog.added(before, model))
    field = message.fields[-1].name
    assert [line.partition(":")[0] for line in lines] == [
        f"- field `chat.v1.Message.{field}`",
        "- event `chat.v1.MessageCreated`",
    ]


def test_a_release_is_kept_once_and_has_a_section(tmp_path: Path, model: Model) -> None:
    published = (proto.ROOT / proto.DESCRIPTORS).read_bytes()
    changelog.release(tmp_path, "0.9.0", FIRST.read_bytes())
    changelog.release(tmp_path, "0.10.0", published)
    page = changelog.render(tmp_path, model)
    heads = [line for line in page.splitlines() if line.startswith("## ")]
    assert heads == ["## Not released yet", "## 0.10.0", "## 0.9.0"]
    assert page.count("Nothing.") == 1
    with pytest.raises(SystemExit):
        changelog.release(tmp_path, "0.9.0", published)
