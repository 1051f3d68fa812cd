"""Read one Avro record, and say what is wrong when that fails."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import fastavro

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
    at, size = stream.tell(), len(stream.getbuffer())
    field = _field_at_fault(stream.getvalue()[start:], schema)
    where = f"in field {field!r} of a {record_name(schema)} record that starts at byte {start}"
    if at >= size:
        return f"truncated: the bytes end after {size} {where} (or a length before that is wrong)"
    what = _MEANINGS.get(type(error), type(error).__name__)
    return f"not a readable record: {what} before byte {at} of {size} {where}"


def _field_at_fault(data: bytes, schema: Mapping[str, Any]) -> str:
    """The first top-level field that can't be read: found by reading ever longer beginnings of the record."""
    fields = schema.get("fields", ())
    for n, field in enumerate(fields, start=1):
        beginning = {"type": "record", "name": schema["name"], "fields": list(fields[:n])}
        try:
            fastavro.schemaless_reader(BytesIO(data), fastavro.parse_schema(beginning))
        except Exception:  # noqa: BLE001 - see read_record
            return str(field["name"])
    return "?"
