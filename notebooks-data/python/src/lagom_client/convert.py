"""Messages as plain Python and as Arrow: instants as datetimes, enums as their words, money as
minor units beside a currency, and what is unknown as None, never zero."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timezone
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

if TYPE_CHECKING:
    import pyarrow

# Descriptors of messages, fields and enums: their classes differ with protobuf's implementation.
Descriptor = Any
FieldDescriptor = Any
EnumDescriptor = Any

_TIMESTAMP = "google.protobuf.Timestamp"
_MONEY = "lagom.v1.Money"
# Parts of a message that are named for themselves in the canonical tables.
_UNPREFIXED = {"action", "decision", "body", "fact"}


def to_dict(message: Message) -> dict[str, Any]:
    """A message as a dictionary, nested as the message is."""
    return {
        field.name: _value(message, field)
        for field in message.DESCRIPTOR.fields
        if _present(message, field)
    }


def to_arrow(messages: Iterable[Message]) -> pyarrow.Table:
    """Messages of one kind as a table, a row a message: decisions, explanations, models, events.

    Messages inside are spread over columns; money `x` becomes `x_minor` and `x_currency`; lists
    stay lists. The answers of `decide_many` become a row each, with `error_code` and
    `error_message` where a question was bad. Needs pyarrow (`pip install lagom-client[arrow]`).
    """
    import pyarrow

    rows = list(messages)
    if not rows:
        raise ValueError("no messages: their kind, and so the columns, cannot be known")
    kinds = {type(row).DESCRIPTOR.full_name for row in rows}
    if len(kinds) > 1:
        raise ValueError(f"messages of several kinds in one table: {', '.join(sorted(kinds))}")
    columns: dict[str, tuple[Any, list[Any]]] = {}
    _spread(rows, rows[0].DESCRIPTOR, "", columns)
    schema = pyarrow.schema([(name, kind) for name, (kind, _) in columns.items()])
    return pyarrow.Table.from_pydict({name: cells for name, (_, cells) in columns.items()}, schema)


def word(enum: EnumDescriptor, value: int) -> str | None:
    """`reminder` for KIND_REMINDER; None for unspecified, the number in text for one not known."""
    if value == 0:
        return None
    known = enum.values_by_number.get(value)
    if known is None:
        return str(value)
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return str(known.name.removeprefix(prefix).lower())


def _repeated(field: FieldDescriptor) -> bool:
    # `label` is deprecated by protobuf 7, `is_repeated` unknown to 5.
    known = getattr(field, "is_repeated", None)
    return bool(field.label == field.LABEL_REPEATED if known is None else known)


def _present(message: Message, field: FieldDescriptor) -> bool:
    if _repeated(field):
        return True
    if field.has_presence:
        return bool(message.HasField(field.name))
    value = getattr(message, field.name)
    return not (value == "" or (field.enum_type is not None and value == 0))


def _value(message: Message, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    if not _repeated(field):
        return _plain(field, value)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return dict(value)
    return [_plain(field, one) for one in value]


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type is not None:
        return word(field.enum_type, value)
    if field.message_type is None:
        return value
    if field.message_type.full_name == _TIMESTAMP:
        return value.ToDatetime(tzinfo=timezone.utc)
    return to_dict(value)


def _spread(
    rows: Sequence[Message | None],
    kind: Descriptor,
    prefix: str,
    columns: dict[str, tuple[Any, list[Any]]],
) -> None:
    """Adds a column for every field of messages of one kind; a row may lack its message."""
    for field in kind.fields:
        name = prefix + field.name
        inner = field.message_type
        if _repeated(field) or inner is None or inner.full_name == _TIMESTAMP:
            cells = [
                _value(row, field) if row is not None and _present(row, field) else None
                for row in rows
            ]
            columns[name] = (_arrow(field), cells)
            continue
        parts = [
            getattr(row, field.name) if row is not None and row.HasField(field.name) else None
            for row in rows
        ]
        if inner.full_name == _MONEY:
            import pyarrow

            minor = [None if part is None else part.minor_units for part in parts]
            currency = [None if part is None else part.currency for part in parts]
            columns[f"{name}_minor"] = (pyarrow.int64(), minor)
            columns[f"{name}_currency"] = (pyarrow.string(), currency)
        else:
            _spread(parts, inner, prefix if field.name in _UNPREFIXED else f"{name}_", columns)


def _arrow(field: FieldDescriptor) -> Any:
    import pyarrow

    inner = field.message_type
    kind: Any
    if inner is not None and inner.full_name == _TIMESTAMP:
        kind = pyarrow.timestamp("us", "UTC")
    elif inner is not None and inner.GetOptions().map_entry:
        return pyarrow.map_(pyarrow.string(), pyarrow.string())
    elif inner is not None:
        kind = pyarrow.struct([(one.name, _arrow(one)) for one in inner.fields])
    elif field.enum_type is not None:
        kind = pyarrow.string()
    else:
        kind = {
            field.CPPTYPE_STRING: pyarrow.string(),
            field.CPPTYPE_BOOL: pyarrow.bool_(),
            field.CPPTYPE_DOUBLE: pyarrow.float64(),
            field.CPPTYPE_FLOAT: pyarrow.float32(),
            field.CPPTYPE_INT32: pyarrow.int32(),
            field.CPPTYPE_INT64: pyarrow.int64(),
            field.CPPTYPE_UINT32: pyarrow.uint32(),
            field.CPPTYPE_UINT64: pyarrow.uint64(),
        }[field.cpp_type]
    return pyarrow.list_(kind) if _repeated(field) else kind
