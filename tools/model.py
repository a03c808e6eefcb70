"""The contracts as their readers see them: with comments, limits and policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

PACKAGE: Final = "creavio."
Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None


def as_mapping(value: Json) -> Mapping[str, Json]:
    """An object in JSON; absent is empty. Raises `TypeError` for anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is no object")
    return value


def as_list(value: Json) -> Sequence[Json]:
    """An array in JSON; absent is empty. Raises `TypeError` for anything else."""
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"{value!r} is no array")
    return value


def as_text(value: Json) -> str:
    """A scalar in JSON as text; absent is empty. Raises `TypeError` for anything else."""
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise TypeError(f"{value!r} is no scalar")
    return str(value)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message."""

    name: str
    kind: str
    """As in proto: `string`, `int64`, `message`, `enum`…"""
    type: str
    """The full name of its message or enum, else empty."""
    comment: str
    repeated: bool
    presence: bool
    """Whether absent and empty are told apart."""
    oneof: str
    """The group of which one may be set, else empty."""
    rules: Mapping[str, Json]
    """`buf.validate.FieldRules` in JSON; empty when there is no rule."""


@dataclass(frozen=True, slots=True)
class Visibility:
    """People who may see an event."""

    scope: str
    field: str
    require: str
    within: str
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class EventPolicy:
    """Where an event may go."""

    audience: str
    visible_to: tuple[Visibility, ...]
    subject_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A message; an event when it has a policy."""

    name: str
    """In full: `creavio.chat.v1.Message`."""
    file: str
    """Where it stands: `creavio/chat/v1/message.proto`."""
    comment: str
    fields: tuple[Field, ...]
    map_entry: bool
    event: EventPolicy | None

    @property
    def short(self) -> str:
        """The name inside its package."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One value of an enum."""

    name: str
    number: int
    comment: str


@dataclass(frozen=True, slots=True)
class Enum:
    """An enum."""

    name: str
    comment: str
    values: tuple[EnumValue, ...]


@dataclass(frozen=True, slots=True)
class HttpBinding:
    """One way to an RPC over REST."""

    verb: str
    """Empty for one that is not published."""
    path: str
    body: str
    """`*`, the name of a field, or empty when there is no body."""


@dataclass(frozen=True, slots=True)
class Policy:
    """`creavio.options.v1.RpcPolicy`; enum values without their prefix."""

    audience: str
    access: str
    permission: str
    scope: str
    scope_field: str
    idempotency: str
    idempotency_field: str
    rate_limit: str
    deadline: float
    max_request_bytes: int
    stream: str
    audit: str
    in_person: bool
    open_to_unverified: bool


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC."""

    service: str
    name: str
    file: str
    """Where it stands: `creavio/chat/v1/message_service.proto`."""
    comment: str
    request: str
    response: str
    streaming: bool
    http: tuple[HttpBinding, ...]
    policy: Policy

    @property
    def path(self) -> str:
        """As on the wire: `/creavio.chat.v1.MessageService/CreateMessage`."""
        return f"/{self.service}/{self.name}"

    @property
    def public(self) -> bool:
        """Whether the edge lets it through."""
        return self.policy.audience == "PUBLIC"


@dataclass(frozen=True, slots=True)
class Service:
    """A gRPC service."""

    name: str
    comment: str
    rpcs: tuple[Rpc, ...]

    @property
    def short(self) -> str:
        """The name inside its package."""
        return self.name.rpartition(".")[2]


@dataclass(slots=True)
class Model:
    """Everything the contracts say, by full name, in the order of the files."""

    services: dict[str, Service] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    enums: dict[str, Enum] = field(default_factory=dict)

    @property
    def public_rpcs(self) -> tuple[Rpc, ...]:
        """The RPCs the edge lets through."""
        return tuple(r for service in self.services.values() for r in service.rpcs if r.public)

    def field(self, message: str, path: str) -> Field | None:
        """The field of a message that a dotted path leads to; `None` when it leads nowhere."""
        name, _, rest = path.partition(".")
        inside = self.messages.get(message)
        found = next((one for one in inside.fields if one.name == name), None) if inside else None
        return self.field(found.type, rest) if found and rest else found

    @property
    def events(self) -> tuple[Message, ...]:
        """The messages that can be emitted."""
        return tuple(m for m in self.messages.values() if m.event is not None)
