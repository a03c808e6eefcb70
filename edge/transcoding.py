"""REST in, gRPC inside: what Envoy's transcoder is told."""

from __future__ import annotations

from collections.abc import Iterable

from envoy_data_plane.envoy.extensions.filters.http.grpc_json_transcoder.v3 import (
    GrpcJsonTranscoder,
    GrpcJsonTranscoderPrintOptions,
    GrpcJsonTranscoderRequestValidationOptions,
)
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import error_details_pb2, status_pb2

from chassis.contract import Rpc

FILTER = "envoy.filters.http.grpc_json_transcoder"
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
    )


def no_transcoder() -> GrpcJsonTranscoder:
    """Leaves a route alone."""
    return GrpcJsonTranscoder(proto_descriptor_bin=b"")


def descriptor_set(rpcs: Iterable[Rpc]) -> bytes:
    """The files that define these RPCs and everything they mention, dependencies first.

    Services are cut down to these RPCs: what is not among them does not exist
    for whoever reads the set.
    """
    described = {rpc.descriptor.full_name for rpc in rpcs}
    ordered: dict[str, FileDescriptor] = {}
    roots = {
        rpc.descriptor.containing_service.file.name: rpc.descriptor.containing_service.file
        for rpc in rpcs
    }
    for file in (*ERROR_FILES, *(roots[name] for name in sorted(roots))):
        _add(file, ordered)
    result = FileDescriptorSet()
    for file in ordered.values():
        proto = result.file.add()
        file.CopyToProto(proto)
        for service in proto.service:
            kept = [
                m for m in service.method if f"{proto.package}.{service.name}.{m.name}" in described
            ]
            del service.method[:]
            service.method.extend(kept)
    return result.SerializeToString(deterministic=True)


def _add(file: FileDescriptor, ordered: dict[str, FileDescriptor]) -> None:
    if file.name in ordered:
        return
    for dependency in file.dependencies:
        _add(dependency, ordered)
    ordered[file.name] = file
