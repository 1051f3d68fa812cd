"""Read Avro object containers block by block: what can be read of a broken one is, and none inflates without limit.

Source: Avro 1.11 specification, "Object Container Files".
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

import fastavro

from schemas._inflate import MAX_INFLATED_BYTES, inflate
from schemas._record_reader import UnreadableError, read_record
from schemas._schema_limits import check_repeated
from schemas.registry import parse
from schemas.survey import Record

MAGIC = b"Obj\x01"
_LEAST_SPACE = 1024
"""Bytes that the smallest record is taken to need, for a decoded one is larger than its bytes."""

SYNC_SIZE = 16
_HEADER = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Header",
        "fields": [
            {"name": "magic", "type": {"type": "fixed", "name": "Magic", "size": len(MAGIC)}},
            {"name": "meta", "type": {"type": "map", "values": "bytes"}},
            {"name": "sync", "type": {"type": "fixed", "name": "Sync", "size": SYNC_SIZE}},
        ],
    }
)
BLOCK_HEAD = fastavro.parse_schema(
    {
        "type": "record",
        "name": "BlockHead",
        "fields": [{"name": "count", "type": "long"}, {"name": "size", "type": "long"}],
    }
)


class RestUnreadableError(UnreadableError):
    """A container that can't be read from some block on.

    Parameters
    ----------
    reason : what is wrong.
    rest : a container of the same header with just the bytes from that block on.
    """

    def __init__(self, reason: str, rest: bytes) -> None:
        super().__init__(reason)
        self.rest = rest


@dataclass(frozen=True)
class _Block:
    """A block's place in the payload, its number of records, its inflated bytes, and what is wrong with its end."""

    start: int
    count: int
    data: bytes
    fault: str | None


@dataclass(frozen=True)
class Container:
    """An Avro object container.

    Parameters
    ----------
    payload : the whole container.
    meta : the header's entries; ``avro.codec`` names the compression.
    sync : the 16 bytes that end the header and each block.
    body : where the first block starts.
    schema : the writer schema in the header, parsed.
    """

    payload: bytes
    meta: dict[str, bytes]
    sync: bytes
    body: int
    schema: dict[str, Any]

    @classmethod
    def open(cls, payload: bytes) -> "Container":
        """Read the header.

        Raises
        ------
        UnreadableError
            If it is broken, or its schema is one that Boreal doesn't read.
        """
        stream = BytesIO(payload)
        header = read_record(stream, _HEADER)
        schema = _parse(header["meta"].get("avro.schema", b""))
        return cls(payload, header["meta"], header["sync"], stream.tell(), schema)

    @property
    def codec(self) -> str:
        """Name of the compression."""
        return self.meta.get("avro.codec", b"null").decode("utf-8", "backslashreplace")

    def whole_blocks(self) -> list[tuple[int, bytes]]:
        """The number of records in each block, and their bytes, of a container with nothing wrong around its records.

        Raises
        ------
        UnreadableError
            If a block isn't whole; also if there might not be room for what `records` yields.
        """
        stream = BytesIO(self.payload)
        stream.seek(self.body)
        room, found = MAX_INFLATED_BYTES, []
        while stream.tell() < len(self.payload):
            block = self._block(stream, room)
            # A record takes its bytes or the least space, so no more than both.
            room -= len(block.data) + block.count * (self.body + _LEAST_SPACE)
            if block.fault or room < 0:
                raise UnreadableError(block.fault or "there might not be room")
            found.append((block.count, block.data))
        return found

    def records(self) -> Iterator[tuple[Record, bytes]]:
        """Each record, with the bytes that it was read from.

        Raises
        ------
        RestUnreadableError
            Where the container can't be read further, after the last record before that.
        """
        stream = BytesIO(self.payload)
        stream.seek(self.body)
        room = MAX_INFLATED_BYTES
        while (start := stream.tell()) < len(self.payload):
            try:
                for record in _records(self._block(stream, room), self.schema):
                    room = self._room_after(record[1], room)
                    yield record
            except UnreadableError as error:
                raise RestUnreadableError(str(error), self.payload[: self.body] + self.payload[start:]) from None

    def _room_after(self, record: bytes, room: int) -> int:
        """What a record leaves of the room: any may have to be kept alone, with a header of its own."""
        left = room - max(len(record), self.body + _LEAST_SPACE)
        if left < 0:
            raise UnreadableError(f"the container's records need more than {MAX_INFLATED_BYTES} bytes")
        return left

    def alone(self, record: bytes) -> bytes:
        """A container, uncompressed, with the same header and just this record's bytes."""
        header = BytesIO()
        meta = {**self.meta, "avro.codec": b"null"}
        fastavro.schemaless_writer(header, _HEADER, {"magic": MAGIC, "meta": meta, "sync": self.sync})
        fastavro.schemaless_writer(header, BLOCK_HEAD, {"count": 1, "size": len(record)})
        return header.getvalue() + record + self.sync

    def _block(self, stream: BytesIO, room: int) -> _Block:
        start = stream.tell()
        head = read_record(stream, BLOCK_HEAD)
        if head["size"] < 0 or head["count"] < 0:
            raise UnreadableError(
                f"the block at byte {start} says it has {head['count']} records in {head['size']} bytes"
            )
        body, sync = stream.read(head["size"]), stream.read(SYNC_SIZE)
        whole = len(sync) == SYNC_SIZE
        if whole and sync != self.sync:
            raise UnreadableError(f"the block at byte {start} doesn't end in the container's sync marker")
        missing = head["size"] + SYNC_SIZE - len(body) - len(sync)
        fault = None if whole else f"truncated: the block at byte {start} lacks its last {missing} bytes"
        return _Block(start, head["count"], inflate(self.codec, body, room, whole=whole), fault)


def _records(block: _Block, schema: dict[str, Any]) -> Iterator[tuple[Record, bytes]]:
    stream = BytesIO(block.data)
    for _ in range(block.count):
        start = stream.tell()
        try:
            record = read_record(stream, schema)
        except UnreadableError as error:
            raise UnreadableError(block.fault or f"in the block at byte {block.start}, inflated: {error}") from None
        yield record, block.data[start : stream.tell()]
    left = len(block.data) - stream.tell()
    if block.fault or left:
        raise UnreadableError(
            block.fault or f"trailing bytes: {left} after the records of the block at byte {block.start}"
        )


@lru_cache(maxsize=64)
def _parse(schema: bytes) -> dict[str, Any]:
    """The header's schema, parsed once for all containers that carry it."""
    try:
        parsed = parse(json.loads(schema))
        check_repeated(parsed)
    except UnreadableError as error:
        raise UnreadableError(f"the container's schema isn't one of an alert: {error}") from None
    except Exception as error:  # noqa: BLE001 - whatever is in the header, only this container is at fault
        raise UnreadableError(f"the container's schema can't be read: {type(error).__name__}: {error!s:.200}") from None
    return parsed
