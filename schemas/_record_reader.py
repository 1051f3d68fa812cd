"""Read one Avro record, and say what is wrong when that fails."""

from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any

import fastavro

from schemas._same import Same
from schemas.registry import record_name
from schemas.survey import Record

_MEANINGS: dict[type[Exception], str] = {
    IndexError: "a choice of type that the schema doesn't offer",
    UnicodeDecodeError: "text that isn't UTF-8",
}


class UnreadableError(ValueError):
    """Bytes that aren't what they should be; the message is the reason for rejecting them."""


def read_record(stream: BytesIO, schema: Mapping[str, Any]) -> Record:
    """Read the record that starts at the stream's position; the stream then stands behind it.

    Raises
    ------
    UnreadableError
        If the bytes aren't a whole record of this schema.
    """
    start = stream.tell()
    try:
        record: Record = fastavro.schemaless_reader(stream, schema)
    except Exception as error:  # noqa: BLE001 - fastavro raises a dozen types on broken bytes, and none may stop a batch
        raise UnreadableError(_reason(stream, start, schema, error)) from None
    return record


def _reason(stream: BytesIO, start: int, schema: Mapping[str, Any], error: Exception) -> str:
    at, size = stream.tell(), stream.getbuffer().nbytes
    stream.seek(start)
    field = _field_at_fault(stream, schema)
    where = f"in field {field!r} of a {record_name(schema)} record that starts at byte {start}"
    if at >= size:
        return f"truncated: the bytes end after {size} {where} (or a length before that is wrong)"
    what = _MEANINGS.get(type(error), type(error).__name__)
    return f"not a readable record: {what} before byte {at} of {size} {where}"


def _field_at_fault(stream: BytesIO, schema: Mapping[str, Any]) -> str:
    """The first top-level field that can't be read: found by reading the record field by field."""
    for name, alone in _fields_alone(Same(schema)):
        try:
            fastavro.schemaless_reader(stream, alone)
        except Exception:  # noqa: BLE001 - see read_record
            return name
    return "?"


@lru_cache(maxsize=64)
def _fields_alone(key: Same) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Each top-level field's name, and a record of just that field, parsed with the types that stand before it."""
    types: dict[str, Any] = {}
    (schema,) = key.things
    fields = schema.get("fields", ())
    return tuple((str(field["name"]), _alone(field, number, types)) for number, field in enumerate(fields))


def _alone(field: Mapping[str, Any], number: int, types: dict[str, Any]) -> dict[str, Any]:
    record = {"type": "record", "name": f"Field{number}", "fields": [field]}
    return dict(fastavro.parse_schema(record, named_schemas=types))
