"""Where the answer of an operation leads: OpenAPI's links, derived from the contracts.

A link says that an operation can be called with what another one answered: the id of the
community that was founded is the `community_id` of every path below it. Resources, collections
and ids are named alike everywhere, so that nobody has to write a link down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import re

from tools import paths
from tools.model import Field, Message, Model, Rpc
from tools.schema import Schema


@dataclass(frozen=True, slots=True)
class _Operation:
    """An operation that is published."""

    name: str
    """Its `operationId`."""
    rpc: Rpc
    path: str
    """As OpenAPI has it."""

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of its path, each with the collection that it names a thing of."""
        return {name: of for of, name in re.findall(r"([\w-]+)/\{(\w+)\}", self.path)}

    @property
    def collection(self) -> str:
        """The collection that it is about: `bans` of `/v1/communities/{community_id}/bans`."""
        *_, last = re.finditer(r"/([\w-]+)", self.path)
        return last[1]


@dataclass(frozen=True, slots=True)
class _Told:
    """Something in an answer that names a thing."""

    name: str
    """As a parameter of a path would be called."""
    pointer: str
    own: bool
    """Whether it is the id of what was answered or listed, and not of what that is about."""

    def names(self, parameter: str, collection: str, *, same: bool) -> bool:
        """Whether it is what a path wants. In the same collection it is what it is there."""
        if same and (self.own or self.name == parameter):
            return True
        # `bans/{user_id}` is no user, and `channel_id` of a thread is not what was answered.
        if self.name != parameter or not (self.own or not parameter.endswith("_id")):
            return False
        kind, of = parameter.removesuffix("_id"), collection.replace("-", "_")
        return of.startswith(kind.removesuffix("y")) or kind.startswith(of)


def operation_id(rpc: Rpc, index: int) -> str:
    """What an RPC is called over its first, second… way."""
    name = f"{rpc.service.rpartition('.')[2]}_{rpc.name}"
    return name if index == 0 else f"{name}_{index + 1}"


def links(model: Model, rpcs: tuple[Rpc, ...]) -> dict[str, Schema]:
    """What each answer links to, by the `operationId` of what was called.

    There is a link to every operation whose path names what was answered, or the first of what
    was listed, where the request did not name it and named all else that the path needs.
    """
    found = [
        _Operation(operation_id(rpc, index), rpc, paths.parse(binding.path).openapi)
        for rpc in rpcs
        for index, binding in enumerate(rpc.http)
    ]
    leads: dict[str, Schema] = {}
    for source in found:
        told = [*_told(model, source)]
        leads[source.name] = {
            target.name: {"operationId": target.name, "parameters": given}
            for target in found
            if (given := _given(told, source, target))
        }
    return leads


def _given(told: list[_Told], source: _Operation, target: _Operation) -> dict[str, str]:
    """Where every parameter of a path is found; nothing when one is not, or none is new."""
    given: dict[str, str] = {}
    for name, collection in target.parameters.items():
        if name in source.parameters:
            given[name] = f"$request.path.{name}"
            continue
        same = collection == source.collection
        fitting = [each for each in told if each.names(name, collection, same=same)]
        if not fitting:
            return {}
        pointer = min(fitting, key=lambda each: each.name != name).pointer
        given[name] = f"$response.body#{pointer}"
    return given if any(name not in source.parameters for name in given) else {}


def _told(model: Model, source: _Operation) -> Iterator[_Told]:
    """What an answer names: itself, or the things that it is an envelope of."""
    answer = model.messages.get(source.rpc.response)
    if answer is None or source.rpc.streaming:
        return
    yield from _names(answer, "", own=True)
    if any(field.name == "id" for field in answer.fields):
        return
    for field in answer.fields:
        inside = model.messages.get(field.type)
        if inside and not inside.map_entry:
            within = f"/{field.name}/0" if field.repeated else f"/{field.name}"
            yield from _names(inside, within, own=field.repeated)


def _names(message: Message, within: str, *, own: bool) -> Iterator[_Told]:
    for field in message.fields:
        if not _is_text(field):
            continue
        is_id = field.name == "id"
        name = f"{_snake(message.short)}_id" if is_id else field.name
        yield _Told(name, f"{within}/{field.name}", own and is_id)


def _is_text(field: Field) -> bool:
    return field.kind == "string" and not field.repeated


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
