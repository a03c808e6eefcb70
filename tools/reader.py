"""Reads the model of the contracts from their descriptor set.

From the descriptor set alone, not from the generated modules: what is published
follows from the contracts as they are, not as they last were.
"""

from __future__ import annotations

from collections.abc import Mapping
import re
from typing import Final

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message as AnyMessage

from tools.model import (
    PACKAGE,
    Enum,
    EnumValue,
    EventPolicy,
    Field,
    HttpBinding,
    Json,
    Message,
    Model,
    Policy,
    Rpc,
    Service,
    Visibility,
    as_list,
    as_mapping,
    as_text,
)

_VERBS: Final = ("get", "put", "post", "delete", "patch")


def load(descriptors: bytes) -> Model:
    """Read a serialized `google.protobuf.FileDescriptorSet` with source info."""
    files = sorted(FileDescriptorSet.FromString(descriptors).file, key=lambda file: file.name)
    options = _Options(descriptors)
    model = Model()
    for file in files:
        if file.package.startswith(PACKAGE):
            _File(file, options, model).read()
    return model


class _Options:
    """Reads options whose extensions this process need not know."""

    def __init__(self, descriptors: bytes) -> None:
        self._pool = DescriptorPool()
        for file in FileDescriptorSet.FromString(descriptors).file:
            self._pool.AddSerializedFile(file.SerializeToString())

    def read(self, options: AnyMessage, extension: str) -> Mapping[str, Json] | None:
        """One extension in JSON, field names as in the proto; `None` when it is not set."""
        descriptor = self._pool.FindMessageTypeByName(options.DESCRIPTOR.full_name)
        known = message_factory.GetMessageClass(descriptor).FromString(options.SerializeToString())
        everything: Mapping[str, Json] = json_format.MessageToDict(
            known,
            preserving_proto_field_name=True,
            descriptor_pool=self._pool,
            unquote_int64_if_possible=True,
        )
        found = everything.get(f"[{extension}]")
        return None if found is None else as_mapping(found)


class _File:
    """Reads one file into the model."""

    def __init__(self, file: FileDescriptorProto, options: _Options, model: Model) -> None:
        self._file = file
        self._options = options
        self._model = model
        self._comments = {
            tuple(location.path): _tidy(location.leading_comments)
            for location in file.source_code_info.location
        }

    def read(self) -> None:
        for index, message in enumerate(self._file.message_type):
            self._message(message, self._file.package, (4, index))
        for index, enum in enumerate(self._file.enum_type):
            self._enum(enum, self._file.package, (5, index))
        for index, service in enumerate(self._file.service):
            self._service(service, (6, index))

    def _comment(self, *path: int) -> str:
        return self._comments.get(path, "")

    def _message(self, proto: DescriptorProto, parent: str, path: tuple[int, ...]) -> None:
        name = f"{parent}.{proto.name}"
        policy = self._options.read(proto.options, "creavio.options.v1.event")
        self._model.messages[name] = Message(
            name=name,
            file=self._file.name,
            comment=self._comment(*path),
            fields=tuple(
                self._field(one, proto, (*path, 2, index)) for index, one in enumerate(proto.field)
            ),
            map_entry=proto.options.map_entry,
            event=None if policy is None else _event(policy),
        )
        for index, nested in enumerate(proto.nested_type):
            self._message(nested, name, (*path, 3, index))
        for index, enum in enumerate(proto.enum_type):
            self._enum(enum, name, (*path, 4, index))

    def _field(
        self, proto: FieldDescriptorProto, owner: DescriptorProto, path: tuple[int, ...]
    ) -> Field:
        real_oneof = proto.HasField("oneof_index") and not proto.proto3_optional
        repeated = proto.label == FieldDescriptorProto.LABEL_REPEATED
        kind = FieldDescriptorProto.Type.Name(proto.type).removeprefix("TYPE_").lower()
        return Field(
            name=proto.name,
            kind=kind,
            type=proto.type_name.removeprefix("."),
            comment=self._comment(*path),
            repeated=repeated,
            presence=not repeated and (kind == "message" or proto.proto3_optional or real_oneof),
            oneof=owner.oneof_decl[proto.oneof_index].name if real_oneof else "",
            rules=self._options.read(proto.options, "buf.validate.field") or {},
        )

    def _enum(self, proto: EnumDescriptorProto, parent: str, path: tuple[int, ...]) -> None:
        name = f"{parent}.{proto.name}"
        self._model.enums[name] = Enum(
            name=name,
            comment=self._comment(*path),
            values=tuple(
                EnumValue(value.name, value.number, self._comment(*path, 2, index))
                for index, value in enumerate(proto.value)
            ),
        )

    def _service(self, proto: ServiceDescriptorProto, path: tuple[int, ...]) -> None:
        name = f"{self._file.package}.{proto.name}"
        self._model.services[name] = Service(
            name=name,
            comment=self._comment(*path),
            rpcs=tuple(
                self._rpc(name, method, (*path, 2, index))
                for index, method in enumerate(proto.method)
            ),
        )

    def _rpc(self, service: str, proto: MethodDescriptorProto, path: tuple[int, ...]) -> Rpc:
        return Rpc(
            service=service,
            name=proto.name,
            file=self._file.name,
            comment=self._comment(*path),
            request=proto.input_type.removeprefix("."),
            response=proto.output_type.removeprefix("."),
            streaming=proto.server_streaming,
            http=_bindings(self._options.read(proto.options, "google.api.http") or {}),
            policy=_policy(self._options.read(proto.options, "creavio.options.v1.rpc") or {}),
        )


def _tidy(comment: str) -> str:
    """A comment without the space after `//`, its paragraphs kept."""
    return re.sub(r"(?m)^ ", "", comment).strip()


def _bindings(rule: Mapping[str, Json]) -> tuple[HttpBinding, ...]:
    if not rule:
        return ()
    found = []
    for one in (rule, *as_list(rule.get("additional_bindings"))):
        binding = as_mapping(one)
        verb = next((verb for verb in _VERBS if verb in binding), "")
        found.append(HttpBinding(verb, as_text(binding.get(verb)), as_text(binding.get("body"))))
    return tuple(found)


def _policy(option: Mapping[str, Json]) -> Policy:
    rule = as_mapping(option.get("permission"))
    return Policy(
        audience=as_text(option.get("audience")).removeprefix("AUDIENCE_"),
        access=as_text(option.get("access")).removeprefix("ACCESS_"),
        permission=as_text(rule.get("require")).removeprefix("PERMISSION_"),
        scope=as_text(rule.get("scope")).removeprefix("SCOPE_"),
        scope_field=as_text(rule.get("field")),
        idempotency=as_text(option.get("idempotency")).removeprefix("IDEMPOTENCY_"),
        idempotency_field=as_text(option.get("idempotency_field")),
        rate_limit=as_text(option.get("rate_limit")).removeprefix("RATE_LIMIT_"),
        deadline=float(as_text(option.get("deadline")).removesuffix("s") or 0),
        max_request_bytes=int(as_text(option.get("max_request_bytes")) or 0),
        stream=as_text(option.get("stream")).removeprefix("STREAM_"),
        audit=as_text(option.get("audit")).removeprefix("AUDIT_"),
        in_person=option.get("in_person") is True,
        open_to_unverified=option.get("open_to_unverified") is True,
    )


def _event(option: Mapping[str, Json]) -> EventPolicy:
    return EventPolicy(
        audience=as_text(option.get("audience")).removeprefix("EVENT_AUDIENCE_"),
        visible_to=tuple(
            Visibility(
                scope=as_text(one.get("scope")).removeprefix("SCOPE_"),
                field=as_text(one.get("field")),
                require=as_text(one.get("require")).removeprefix("PERMISSION_"),
                within=as_text(one.get("within")),
                decided_by=as_text(one.get("decided_by")),
            )
            for one in map(as_mapping, as_list(option.get("visible_to")))
        ),
        subject_fields=tuple(map(as_text, as_list(option.get("subject_fields")))),
    )
