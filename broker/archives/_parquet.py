"""Parquet files a few rows at a time: how they are cut, and how a piece is read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from broker.archives.found import Found, Tally
from broker.archives.portion import Portion
from broker.archives.unreadable import UNREADABLE

MOST_ROWS = 2048
"""Rows of a portion. To read rows within a row group, those before them are unpacked, too: so not too few."""

MOST_BYTES = 128 * 2**20
"""Bytes of a portion, by the mean row of its row group."""

ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class Piece:
    """Rows of one row group: the first, the one behind the last, their bytes, and why they can't be read."""

    start: int
    end: int
    size: int
    fault: str | None = None


@contextmanager
def opened(found: Found) -> Iterator[pq.ParquetFile]:
    """The file; of an object what is asked for together is fetched together."""
    if found.is_object:
        with found.open() as content, pq.ParquetFile(content, pre_buffer=True) as file:
            yield file
        return
    with pq.ParquetFile(found.path) as file:
        yield file


def columns_of(found: Found) -> pa.Schema:
    """The columns of a file."""
    with opened(found) as file:
        return file.schema_arrow


def cut(found: Found, columns: Sequence[str]) -> Iterator[Piece]:
    """Yield a file's rows in pieces, each row once. They are read for that: a broken page doesn't show otherwise."""
    with opened(found) as file:
        start = 0
        for group in range(file.num_row_groups):
            told = file.metadata.row_group(group)
            parts = (told.column(k) for k in range(told.num_columns))
            size = sum(part.total_uncompressed_size for part in parts if part.path_in_schema.split(".")[0] in columns)
            whole = Piece(start, start + told.num_rows, size)
            yield from _pieces(whole, *_readable(file, group, columns))
            start = whole.end


def _readable(file: pq.ParquetFile, group: int, columns: Sequence[str]) -> tuple[int, str | None]:
    """How many rows of a row group can be read, and why not more."""
    rows = 0
    try:
        for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=list(columns)):
            rows += len(batch)
    except (OSError, ValueError, pa.ArrowException) as error:
        return rows, " ".join(str(error).split())
    return rows, None


def _pieces(group: Piece, rows: int, fault: str | None) -> Iterator[Piece]:
    mean = max(1, group.size // max(1, group.end - group.start))
    most = max(1, min(MOST_ROWS, MOST_BYTES // mean))
    for first in range(group.start, group.start + rows, most):
        end = min(first + most, group.start + rows)
        yield Piece(first, end, (end - first) * mean)
    if fault:
        yield Piece(group.start + rows, group.end, 0, fault)


def portions(kind: str, found: Found, columns: Sequence[str], tally: Tally) -> Iterator[Portion]:
    """The portions of a file, of the rows that can be read and of those that can't."""
    for piece in cut(found, columns):
        rows = piece.end - piece.start
        if piece.fault:
            reason = f"a damaged table: rows {piece.start:,} to {piece.end - 1:,} can't be read: {piece.fault}"
            tally.fault(found, reason, tally.packets)
            yield Portion(UNREADABLE, found.name, packets=1, reason=reason)
        else:
            tally.packets += rows
            yield Portion(kind, found.name, piece.start, piece.end, packets=rows, size=piece.size)


def read(found: Found, start: int, end: int, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows between two numbers, which `cut` gave."""
    with opened(found) as file:
        first, group = 0, 0
        while first + (rows := file.metadata.row_group(group).num_rows) <= start:
            first, group = first + rows, group + 1
        for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=list(columns)):
            piece = batch.slice(max(0, start - first), max(0, min(end, first + len(batch)) - max(start, first)))
            if len(piece):
                yield piece
            first += len(batch)
            if first >= end:
                return
