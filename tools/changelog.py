"""What was added to the contracts since they were last released.

    python -m tools.changelog VERSION     keep the contracts as they are as this release

`releases/` holds a descriptor set for each; `gen/changelog/` compares each with the one
before, and what is not released yet with the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
import sys

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tools import openapi, reader, schema
from tools.model import Model
from tools.prose import summary

ROOT = Path(__file__).parents[1]
RELEASES = "releases"
_REASONS = "creavio.errors.v1.Reason"
_NEXT = "Not released yet"
_INTRODUCTION = """\
# What the contracts say since when

Generated from the contracts and `releases/`. Contracts only grow: what is listed here came
to them, and nothing that was published is taken away. Internal calls are left out."""


def render(root: Path, model: Model) -> str:
    """The page: what came with each release, the latest first."""
    kept = sorted((root / RELEASES).glob("*.binpb"), key=lambda path: _version(path.stem))
    states = [(path.stem, reader.load(path.read_bytes())) for path in kept]
    states.append((_NEXT, model))
    sections = [_INTRODUCTION]
    for (_, old), (name, new) in reversed(list(pairwise(states))):
        lines = list(added(old, new)) or ["Nothing."]
        sections.append("\n".join((f"## {name}", "", *lines)))
    if kept:
        sections.append(f"## {kept[0].stem}\n\nThe first.")
    return "\n\n".join(sections) + "\n"


def added(old: Model, new: Model) -> Iterator[str]:
    """What people can call, send, be told and be refused with now, a line each."""
    yield from _calls(old, new)
    yield from _messages(old, new)
    for name in sorted(_public(new) & new.enums.keys() & old.enums.keys()):
        known = {value.name for value in old.enums[name].values}
        for value in new.enums[name].values:
            if value.name not in known:
                yield f"- value `{value.name}`: {summary(value.comment)}"


def _calls(old: Model, new: Model) -> Iterator[str]:
    known = {rpc.path for rpc in old.public_rpcs}
    for rpc in new.public_rpcs:
        if rpc.path not in known:
            where = f" (`{rpc.http[0].verb.upper()} {rpc.http[0].path}`)" if rpc.http else ""
            name = schema.component(rpc.path[1:])
            yield f"- call `{name}`{where}: {summary(rpc.comment)}"


def _messages(old: Model, new: Model) -> Iterator[str]:
    for name in sorted(_public(new) & new.messages.keys()):
        message = new.messages[name]
        if name not in old.messages:
            if message.event is not None:
                yield f"- event `{schema.component(name)}`: {summary(message.comment)}"
            continue
        known = {field.name for field in old.messages[name].fields}
        for field in message.fields:
            if field.name not in known:
                said = f"{schema.component(name)}.{field.name}"
                yield f"- field `{said}`: {summary(field.comment)}"


def _public(model: Model) -> set[str]:
    """The messages and enums that people send and get."""
    names = [name for rpc in model.public_rpcs for name in (rpc.request, rpc.response)]
    return openapi.reached(model, [*names, _REASONS])


def release(root: Path, version: str, published: bytes) -> None:
    """Keep a published descriptor set as that of a release; only its comments' places go."""
    path = root / RELEASES / f"{version}.binpb"
    if path.exists():
        raise SystemExit(f"{version} was released")
    path.parent.mkdir(exist_ok=True)
    files = FileDescriptorSet.FromString(published)
    for file in files.file:
        file.ClearField("source_code_info")
    path.write_bytes(files.SerializeToString(deterministic=True))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


if __name__ == "__main__":
    release(ROOT, sys.argv[1], (ROOT / "gen/descriptors/creavio.binpb").read_bytes())
