"""REST in, gRPC inside: what Envoy's transcoder is told."""

from __future__ import annotations

from collections.abc import Iterable

from envoy_data_plane.envoy.extensions.filters.http.grpc_json_transcoder.v3 import (
    GrpcJsonTranscoder,
    GrpcJsonTranscoderPrintOptions,
    GrpcJsonTranscoderRequestValidationOptions,
)
from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from chassis.contract import Rpc

FILTER = "envoy.filters.http.grpc_json_transcoder"
REST_OPTIONS = annotations_pb2.DESCRIPTOR.extensions_by_name["http"]
MAX_REPLY = 4 * 1024 * 1024
"""Bytes of a reply, as many as a gRPC client takes: one that is larger than what holds it
while it is translated is a 500. A hundred of the longest messages are 1.6 million."""
ERROR_FILES: tuple[FileDescriptor, ...] = (status_pb2.DESCRIPTOR, error_details_pb2.DESCRIPTOR)
"""What an error is made of: without them the transcoder prints none."""


def transcoder(
    rpcs: Iterable[Rpc], *, max_request: int, server_sent_events: bool = False
) -> GrpcJsonTranscoder:
    """A transcoder that knows these RPCs, and the other methods of no service.

    Field names stay as in the contract, unset fields are present, an enum is
    its name. Live streams are newline-delimited JSON, or server-sent events.
    """
    described = tuple(rpcs)
    return GrpcJsonTranscoder(
        proto_descriptor_bin=descriptor_set(described),
        services=sorted({rpc.descriptor.containing_service.full_name for rpc in described}),
        # As browsers and clients write a space (WHATWG URL, URLSearchParams).
        query_param_unescape_plus=True,
        print_options=GrpcJsonTranscoderPrintOptions(
            always_print_primitive_fields=True,
            preserve_proto_field_names=True,
            stream_newline_delimited=not server_sent_events,
            stream_sse_style_delimited=server_sent_events,
        ),
        request_validation_options=GrpcJsonTranscoderRequestValidationOptions(
            reject_unknown_method=True,
            reject_unknown_query_parameters=True,
            reject_binding_body_field_collisions=True,
        ),
        convert_grpc_status=True,
        case_insensitive_enum_parsing=True,
        max_request_body_size=max_request,
        max_response_body_size=MAX_REPLY,
    )


def no_transcoder() -> GrpcJsonTranscoder:
    """Leaves a route alone."""
    return GrpcJsonTranscoder(proto_descriptor_bin=b"")


def descriptor_set(rpcs: Iterable[Rpc]) -> bytes:
    """The files that define these RPCs and everything they mention, dependencies first.

    Services are cut down to these RPCs, and options to REST paths: what is not
    needed to read and write a call does not exist for whoever reads the set.
    """
    described = {rpc.descriptor.full_name: rpc.descriptor.containing_service.file for rpc in rpcs}
    ordered: dict[str, FileDescriptorProto] = {}
    roots = {file.name: file for file in (*ERROR_FILES, *described.values())}
    for name in sorted(roots):
        _add(roots[name], ordered)
    result = FileDescriptorSet(file=ordered.values())
    for file in result.file:
        for service in file.service:
            prefix = f"{file.package}.{service.name}."
            kept = [method for method in service.method if prefix + method.name in described]
            del service.method[:]
            service.method.extend(kept)
    return result.SerializeToString(deterministic=True)


def _add(file: FileDescriptor, ordered: dict[str, FileDescriptorProto]) -> None:
    if file.name in ordered:
        return
    needed = _mentioned(file) | {REST_OPTIONS.file.name}
    kept = [dependency for dependency in file.dependencies if dependency.name in needed]
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    del proto.dependency[:], proto.public_dependency[:], proto.weak_dependency[:]
    proto.dependency.extend(dependency.name for dependency in kept)
    _strip(proto)
    for dependency in kept:
        _add(dependency, ordered)
    ordered[file.name] = proto


def _mentioned(file: FileDescriptor) -> set[str]:
    """The files whose messages and enums this one is made of."""
    types: list[Descriptor | EnumDescriptor] = []
    fields = list(file.extensions_by_name.values())
    messages = list(file.message_types_by_name.values())
    while messages:
        message = messages.pop()
        messages += message.nested_types
        fields += message.fields
    for field in fields:
        named = (field.message_type, field.enum_type, field.containing_type)
        types += [kind for kind in named if kind is not None]
    for service in file.services_by_name.values():
        for method in service.methods:
            types += [method.input_type, method.output_type]
    return {kind.file.name for kind in types}


def _strip(proto: Message) -> None:
    """Takes every option of ours and of others from a descriptor, but where REST finds it."""
    for field, value in proto.ListFields():
        if field.is_extension:
            if field.full_name != REST_OPTIONS.full_name:
                proto.ClearExtension(field)  # type: ignore[arg-type]  # found by reflection
        elif field.message_type is not None:
            for part in value if field.is_repeated else (value,):
                _strip(part)
