"""A protoc plugin around another: shows it only what is to be published.

The comments in the protos of others are not ours to publish. And plugins for
gRPC write a `_pb2_grpc` module for every file they are given, also for one
without a service, where it holds nothing: `--services` keeps those from them.
In buf.gen.yaml: `local: [python, -m, tools.protoc_gen_narrow, [--services,] PLUGIN…]`.
"""

from __future__ import annotations

from collections.abc import Iterable
import subprocess
import sys

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorProto

OURS = "creavio/"
_SERVICES = "--services"


def drop_foreign_comments(files: Iterable[FileDescriptorProto]) -> None:
    """Take the comments (and positions) out of every file that is not ours."""
    for file in files:
        if not file.name.startswith(OURS):
            file.ClearField("source_code_info")


def keep_services(request: CodeGeneratorRequest) -> None:
    """Ask for nothing where there is no service."""
    with_services = {file.name for file in request.proto_file if file.service}
    request.file_to_generate[:] = [n for n in request.file_to_generate if n in with_services]


def main(arguments: list[str]) -> int:
    """Answer the request on stdin with what the plugin makes of the narrowed one."""
    request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    for files in (request.proto_file, request.source_file_descriptors):
        drop_foreign_comments(files)
        for file in files:
            file.source_code_info.SetInParent()  # betterproto2 reads it without asking.
    if arguments[0] == _SERVICES:
        keep_services(request)
    if not request.file_to_generate:
        nothing = CodeGeneratorResponse(
            supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
        )
        sys.stdout.buffer.write(nothing.SerializeToString())
        return 0
    answer = subprocess.run(  # noqa: S603 - the plugin stands in buf.gen.yaml
        [argument for argument in arguments if argument != _SERVICES],
        input=request.SerializeToString(),
        stdout=subprocess.PIPE,
        check=False,
    )
    sys.stdout.buffer.write(answer.stdout)
    return answer.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
