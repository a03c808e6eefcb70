"""The two protoc plugins of our own."""

from __future__ import annotations

import importlib
import subprocess
import sys

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
import pytest

from tools import proto
from tools.descriptors import published
from tools.protoc_gen_grpc import generate
from tools.protoc_gen_narrow import drop_foreign_comments, keep_services

SERVICE = "creavio/chat/v1/message_service.proto"
NOUN = "creavio/chat/v1/message.proto"


@pytest.fixture
def request_for_chat() -> CodeGeneratorRequest:
    published = FileDescriptorSet.FromString((proto.ROOT / proto.DESCRIPTORS).read_bytes())
    return CodeGeneratorRequest(file_to_generate=[SERVICE, NOUN], proto_file=published.file)


def test_only_files_with_services_are_asked_for(request_for_chat: CodeGeneratorRequest) -> None:
    keep_services(request_for_chat)
    assert request_for_chat.file_to_generate == [SERVICE]


def test_comments_of_others_are_dropped_and_ours_kept(
    request_for_chat: CodeGeneratorRequest,
) -> None:
    for file in request_for_chat.proto_file:
        file.source_code_info.location.add(leading_comments=" A comment.")
    drop_foreign_comments(request_for_chat.proto_file)
    for file in request_for_chat.proto_file:
        assert file.HasField("source_code_info") == file.name.startswith("creavio/"), file.name


def test_grpc_stubs_are_generated(request_for_chat: CodeGeneratorRequest) -> None:
    keep_services(request_for_chat)
    response = generate(request_for_chat)
    (file,) = response.file
    assert response.error == ""
    assert file.name == "creavio/chat/v1/message_service_pb2_grpc.py"
    assert "class MessageServiceServicer" in file.content


def test_what_protoc_refuses_is_an_error() -> None:
    assert "status 1" in generate(CodeGeneratorRequest(file_to_generate=["lost.proto"])).error


def test_nothing_to_do_is_answered_without_the_plugin() -> None:
    command = (sys.executable, "-m", "tools.protoc_gen_narrow", "--services", "no-such-plugin")
    empty = CodeGeneratorRequest(file_to_generate=[NOUN]).SerializeToString()
    done = subprocess.run(command, cwd=proto.ROOT, input=empty, capture_output=True, check=True)
    response = CodeGeneratorResponse.FromString(done.stdout)
    assert not response.file
    assert response.supported_features & CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL


def test_the_published_descriptors_are_the_same_whatever_is_imported() -> None:
    """Knowing the extensions of an option once changed the order it was written in."""
    importlib.import_module("creavio.options.v1.rpc_pb2")
    importlib.import_module("google.api.annotations_pb2")
    committed = (proto.ROOT / proto.DESCRIPTORS).read_bytes()
    assert FileDescriptorSet.FromString(committed).SerializeToString() != committed
    assert published(committed) == committed
