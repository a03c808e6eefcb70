"""The descriptor set as it is published."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from tools.protoc_gen_narrow import drop_foreign_comments


def published(built: bytes) -> bytes:
    """A built descriptor set without the comments of others.

    The same bytes in every process. Options are written in the order they are
    found as long as nobody knows their extensions, but in another one where the
    generated modules are imported: a pool of its own knows none.
    """
    pool = DescriptorPool()
    pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
    name = FileDescriptorSet.DESCRIPTOR.full_name
    ignorant = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
    files = ignorant.FromString(built)
    assert hasattr(files, "file")
    drop_foreign_comments(files.file)
    return files.SerializeToString(deterministic=True)
