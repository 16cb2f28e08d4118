"""Writes the type stub of `lagom_client.v1` from a descriptor set with comments: classes with typed
fields and constructors, and the comments of the proto files as docstrings."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

F = FieldDescriptorProto
SCALARS = {
    F.TYPE_DOUBLE: "float",
    F.TYPE_FLOAT: "float",
    F.TYPE_BOOL: "bool",
    F.TYPE_STRING: "str",
    F.TYPE_BYTES: "bytes",
}
HEAD = '''"""Messages and enums of lagom.v1, as the proto files describe them."""

from collections.abc import Iterable, Mapping
from google.protobuf.internal.containers import RepeatedCompositeFieldContainer as _Messages
from google.protobuf.internal.containers import RepeatedScalarFieldContainer as _Scalars
from google.protobuf.internal.containers import ScalarMap as _Map
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper as _Enum
from google.protobuf.message import Message as _Message
from google.protobuf.timestamp_pb2 import Timestamp as Timestamp
from typing import Literal
'''


def stub(descriptors: bytes) -> str:
    """The text of the stub of a serialised `FileDescriptorSet`."""
    text = [HEAD]
    for file in FileDescriptorSet.FromString(descriptors).file:
        comments = _comments(file)
        for number, enum in enumerate(file.enum_type):
            text.append(_enum(enum, comments, (5, number)))
        for number, message in enumerate(file.message_type):
            text.append(_message(message, comments, (4, number)))
    return "\n".join(text)


Comments = dict[tuple[int, ...], str]


def _comments(file: FileDescriptorProto) -> Comments:
    return {
        tuple(place.path): " ".join(place.leading_comments.split()).replace("\\", "\\\\")
        for place in file.source_code_info.location
        if place.leading_comments
    }


def _doc(comments: Comments, path: tuple[int, ...], indent: str) -> list[str]:
    return [f'{indent}"""{comments[path]}"""'] if path in comments else []


def _enum(enum: EnumDescriptorProto, comments: Comments, path: tuple[int, ...]) -> str:
    # A value is an int; the name stands for the values in annotations and for the enum at run time.
    lines = [f"class {enum.name}(int, metaclass=_Enum):"]
    lines += _doc(comments, path, "    ")
    lines += [f"    {value.name}: {enum.name}" for value in enum.value]
    lines += [""]
    for number, value in enumerate(enum.value):
        lines += [f"{value.name}: {enum.name}", *_doc(comments, (*path, 2, number), "")]
    return "\n".join([*lines, ""])


def _message(message: DescriptorProto, comments: Comments, path: tuple[int, ...]) -> str:
    lines = [f"class {message.name}(_Message):"]
    lines += _doc(comments, path, "    ")
    maps = {one.name: one for one in message.nested_type if one.options.map_entry}
    arguments = []
    for number, field in enumerate(message.field):
        held, taken = _types(field, maps)
        lines += [f"    {field.name}: {held}", *_doc(comments, (*path, 2, number), "    ")]
        arguments.append(f"{field.name}: {taken} = ...")
    star = ", *, " if arguments else ""
    lines += [f"    def __init__(self{star}{', '.join(arguments)}) -> None: ..."]
    repeated = {field.name for field in message.field if field.label == F.LABEL_REPEATED}
    present = [
        field.name
        for field in message.field
        if field.name not in repeated
        and (field.type == F.TYPE_MESSAGE or field.HasField("oneof_index"))
    ]
    if present:
        names = ", ".join(f'"{name}"' for name in present)
        lines += [
            f"    def HasField(self, field_name: Literal[{names}]) -> bool: ..."
        ]
    for number, oneof in enumerate(message.oneof_decl):
        inside = [
            field.name
            for field in message.field
            if field.HasField("oneof_index")
            and field.oneof_index == number
            and not field.proto3_optional
        ]
        if inside:
            names = ", ".join(f'"{name}"' for name in inside)
            lines += [
                f'    def WhichOneof(self, oneof_group: Literal["{oneof.name}"]) -> '
                f"Literal[{names}] | None: ..."
            ]
    return "\n".join([*lines, ""])


def _types(field: FieldDescriptorProto, maps: dict[str, DescriptorProto]) -> tuple[str, str]:
    """The type of a field as it is read, and as the constructor takes it."""
    name = field.type_name.rsplit(".", 1)[-1]
    if name in maps:
        key, value = (_plain(one) for one in maps[name].field)
        return f"_Map[{key}, {value}]", f"Mapping[{key}, {value}] | None"
    plain = _plain(field)
    taken = f"{plain} | int | str" if field.type == F.TYPE_ENUM else plain
    if field.label != F.LABEL_REPEATED:
        return plain, f"{taken} | None"
    box = "_Messages" if field.type == F.TYPE_MESSAGE else "_Scalars"
    return f"{box}[{plain}]", f"Iterable[{taken}] | None"


def _plain(field: FieldDescriptorProto) -> str:
    if field.type in (F.TYPE_MESSAGE, F.TYPE_ENUM):
        return field.type_name.rsplit(".", 1)[-1]
    return SCALARS.get(field.type, "int")
