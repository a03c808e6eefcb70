"""What the contracts promise, read from their descriptors.

The options in `creavio/options/v1` are the one place where an RPC's audience,
permission, idempotency, limits and deadline, and an event's audience and
visibility, are stated. The edge, the mesh, the interceptors and the generators
take them from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
import importlib
import pkgutil

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FileDescriptor, MethodDescriptor
from google.protobuf.message import Message

from chassis.catalog import Catalog
from creavio.options.v1 import event_pb2, rpc_pb2


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC and its policy.

    `policy` is empty for an RPC that states none (a contract test refuses those).
    """

    path: str
    """As on the wire: `/creavio.chat.v1.MessageService/CreateMessage`."""
    service: str
    """The catalog's name of the service that serves it."""
    descriptor: MethodDescriptor
    policy: rpc_pb2.RpcPolicy
    http: tuple[HttpRule, ...]

    @property
    def deadline(self) -> float:
        """The longest an answer may take, in seconds; 0 for a live stream."""
        return self.policy.deadline.ToTimedelta().total_seconds()

    @property
    def public(self) -> bool:
        """Whether the edge lets it through."""
        return self.policy.audience == rpc_pb2.AUDIENCE_PUBLIC

    @property
    def lasting(self) -> bool:
        """Whether the call goes on until somebody leaves."""
        return self.policy.stream != rpc_pb2.STREAM_UNARY

    @property
    def bidi(self) -> bool:
        """Whether both sides speak, so that each request is judged by itself."""
        return self.policy.stream == rpc_pb2.STREAM_BIDI

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.policy.idempotency == rpc_pb2.IDEMPOTENCY_READ

    @property
    def open_to_services(self) -> bool:
        """Whether every service may call it: what anybody may read, they may."""
        return self.policy.access == rpc_pb2.ACCESS_ANONYMOUS and self.reads

    @property
    def repeatable(self) -> bool:
        """Whether a call whose fate is unknown may be sent again as it is."""
        return self.policy.idempotency in (
            rpc_pb2.IDEMPOTENCY_READ,
            rpc_pb2.IDEMPOTENCY_NATURAL,
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One event and its policy."""

    message: type[Message]
    service: str
    """The catalog's name of the service that emits it."""
    policy: event_pb2.EventPolicy

    @property
    def type(self) -> str:
        """The full name of its message: `creavio.chat.v1.MessageCreated`."""
        return self.message.DESCRIPTOR.full_name


@dataclass(frozen=True, slots=True)
class Contract:
    """Every RPC by path and every event by type."""

    files: tuple[FileDescriptor, ...]
    rpcs: dict[str, Rpc]
    events: dict[str, Event]

    def rpcs_of(self, service: str) -> tuple[Rpc, ...]:
        """The RPCs that a service of the catalog serves."""
        return tuple(rpc for rpc in self.rpcs.values() if rpc.service == service)


def load(catalog: Catalog) -> Contract:
    """Read the contracts of every service in the catalog."""
    return _load(tuple((name, entry.contract) for name, entry in catalog.services.items()))


@cache
def _load(packages: tuple[tuple[str, str], ...]) -> Contract:
    files: list[FileDescriptor] = []
    rpcs: dict[str, Rpc] = {}
    events: dict[str, Event] = {}
    for name, package in packages:
        for file in _files(package):
            files.append(file)
            for service in file.services_by_name.values():
                for method in service.methods:
                    rpc = _rpc(name, method)
                    rpcs[rpc.path] = rpc
            for message in file.message_types_by_name.values():
                if message.GetOptions().HasExtension(event_pb2.event):
                    events[message.full_name] = _event(name, message)
    return Contract(tuple(files), rpcs, events)


def _files(package: str) -> Iterator[FileDescriptor]:
    folder = importlib.import_module(package)
    for module in sorted(m.name for m in pkgutil.iter_modules(folder.__path__)):
        if module.endswith("_pb2"):
            descriptor = importlib.import_module(f"{package}.{module}").DESCRIPTOR
            assert isinstance(descriptor, FileDescriptor)
            yield descriptor


def _rpc(service: str, method: MethodDescriptor) -> Rpc:
    options = method.GetOptions()
    rule: HttpRule = options.Extensions[annotations_pb2.http]
    http = (rule, *rule.additional_bindings) if options.HasExtension(annotations_pb2.http) else ()
    return Rpc(
        path=f"/{method.containing_service.full_name}/{method.name}",
        service=service,
        descriptor=method,
        policy=options.Extensions[rpc_pb2.rpc],
        http=http,
    )


def _event(service: str, message: Descriptor) -> Event:
    return Event(
        message=message_factory.GetMessageClass(message),
        service=service,
        policy=message.GetOptions().Extensions[event_pb2.event],
    )


def field_at(message: Message, path: str) -> object:
    """The value of the field at a dotted path, such as `message.channel_id`."""
    value: object = message
    for name in path.split("."):
        value = getattr(value, name)
    return value
