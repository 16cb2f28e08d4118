"""Messages and enums of `lagom.v1`, made from the descriptors of the proto files.

They are registered under the proto files' own names in the default pool, so that they are the same
messages as those which `protoc` generates, and work with every protobuf that can read them.
"""

from __future__ import annotations

from importlib import resources

from google.protobuf import descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

Timestamp = timestamp_pb2.Timestamp


def _load() -> dict[str, object]:
    pool = descriptor_pool.Default()
    described = resources.files(__package__).joinpath("lagom.binpb").read_bytes()
    waiting = {file.name: file for file in FileDescriptorSet.FromString(described).file}
    names: dict[str, object] = {}
    while waiting:
        ready = [
            file for file in waiting.values() if not any(one in waiting for one in file.dependency)
        ]
        for file in ready:
            del waiting[file.name]
            pool.AddSerializedFile(file.SerializeToString())
            descriptor = pool.FindFileByName(file.name)
            for name, message in descriptor.message_types_by_name.items():
                names[name] = message_factory.GetMessageClass(message)
            for name, enum in descriptor.enum_types_by_name.items():
                names[name] = EnumTypeWrapper(enum)
                names.update((value.name, value.number) for value in enum.values)
    return names


_names = _load()
globals().update(_names)
__all__ = ["Timestamp", *_names]
