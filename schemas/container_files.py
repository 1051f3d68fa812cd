"""Walk over the blocks of an object container that lies in a file, without reading or inflating them.

Source: Avro 1.11 specification, "Object Container Files".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from schemas._containers import BLOCK_HEAD, MAGIC, SYNC_SIZE, Container
from schemas._record_reader import UnreadableError, read_record

__all__ = ["MAGIC", "SYNC_SIZE", "Block", "UnreadableError", "blocks", "head_size"]

LARGEST_HEAD = 4 * 2**20
"""Bytes of a container's header; that of an LSST schema has some 0.2 MB."""

_LARGEST_BLOCK_HEAD = 20
"""Bytes: two numbers of 64 bits."""


@dataclass(frozen=True)
class Block:
    """A block's place in the file, up to the end of its marker, and its number of records."""

    start: int
    end: int
    count: int


def head_size(file: IO[bytes]) -> int:
    """Bytes of the header: where the first block starts.

    Raises
    ------
    UnreadableError
        If it is broken, or its schema is one that Boreal doesn't read.
    """
    file.seek(0)
    return Container.open(file.read(LARGEST_HEAD)).body


def blocks(file: IO[bytes], start: int, end: int, sync: bytes) -> Iterator[Block]:
    """Yield the blocks between two bytes.

    Parameters
    ----------
    file : opened for reading bytes.
    start, end : where a block starts, and where one ends.
    sync : the 16 bytes that end the header, and must end each block.

    Raises
    ------
    UnreadableError
        At a block that isn't whole, after those before it.
    """
    while start < end:
        block = _block(file, start, end)
        file.seek(block.end - SYNC_SIZE)
        if file.read(SYNC_SIZE) != sync:
            raise UnreadableError(f"the block at byte {start} doesn't end in the container's sync marker")
        yield block
        start = block.end


def _block(file: IO[bytes], start: int, end: int) -> Block:
    file.seek(start)
    stream = BytesIO(file.read(_LARGEST_BLOCK_HEAD))
    head = read_record(stream, BLOCK_HEAD)
    if head["size"] < 0 or head["count"] < 0:
        raise UnreadableError(f"the block at byte {start} says it has {head['count']} records in {head['size']} bytes")
    to = start + stream.tell() + head["size"] + SYNC_SIZE
    if to > end:
        raise UnreadableError(f"truncated: the block at byte {start} lacks its last {to - end} bytes")
    return Block(start, to, head["count"])
