"""The annotation table as plain Parquet, partitioned by place on the sky, by night, or by both."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from broker.catalogue._folder import new_folder
from broker.catalogue.healpix import coarser
from broker.catalogue.reading import INDEX, ORDER, rows_of
from broker.catalogue.sorting import HELD_BYTES, Sorter
from broker.catalogue.writing import NOTHING, Written, write_file
from broker.tables.dataset import Annotations

HEALPIX, NIGHT = "healpix", "night"

PARTITION = "_partition"
"""A column that only the sorting sees."""

NIGHT_BITS = 25
"""Enough for yyyymmdd."""

Progress = Callable[[], None]


def write_parquet(
    annotations: Annotations,
    to: Path,
    by: Sequence[str],
    order: int,
    *,
    held_bytes: int = HELD_BYTES,
    on_read: Progress = lambda: None,
    on_written: Progress = lambda: None,
) -> Written:
    """Write every alert into folders ``healpixK=P/night=yyyymmdd``, rows of a file by place; memory is bounded.

    Parameters
    ----------
    annotations : the table.
    to : a directory that isn't there yet, or is empty.
    by : `HEALPIX`, `NIGHT` or both: the folders, the outer one first.
    order : of the HEALPix cells that are folders, 0 to 12.
    held_bytes : what is in memory at a time, and the most of a file, before compression.
    on_read, on_written : called after each file that was read, and each folder that was written.

    Raises
    ------
    WrongInputError
        If the directory isn't free, or the table isn't one of annotations.
    TableError
        If the table can't be read.
    """
    with new_folder(to) as folder:
        sorter, numbers = Sorter(folder / ".runs", (PARTITION, *ORDER), held_bytes), set()
        for rows in rows_of(annotations, on_read):
            found = _partitions(rows, by, order)
            numbers.update(np.unique(found).tolist())
            sorter.add(rows.append_column(PARTITION, pa.array(found)))
        written = NOTHING
        spans = [(number, number + 1) for number in sorted(numbers)]
        for (number, _), pieces in zip(spans, sorter.stretches(spans), strict=True):
            written += _write(folder / _path(number, by, order), pieces, by)
            on_written()
        sorter.remove()
    return written


def _partitions(rows: pa.Table, by: Sequence[str], order: int) -> NDArray[np.int64]:
    """One number for the folder of each row: its cell, then its night."""
    found = np.zeros(rows.num_rows, dtype=np.int64)
    if HEALPIX in by:
        found |= coarser(np.asarray(rows[INDEX]), order) << NIGHT_BITS
    if NIGHT in by:
        found |= np.asarray(rows["night"], dtype=np.int64)
    return found


def _path(number: int, by: Sequence[str], order: int) -> Path:
    cell, night = number >> NIGHT_BITS, number & ((1 << NIGHT_BITS) - 1)
    parts = {HEALPIX: f"healpix{order}={cell}", NIGHT: f"night={night}"}
    return Path(*(parts[name] for name in by))


def _write(folder: Path, pieces: Iterator[pa.Table], by: Sequence[str]) -> Written:
    written = NOTHING
    for number, rows in enumerate(pieces):
        # What stands in the path stands there alone: readers take it for a column, and refuse to find two of a name.
        rest = rows.drop_columns([PARTITION, *([NIGHT] if NIGHT in by else [])])
        written += write_file(folder / f"part-{number}.parquet", [rest])
    return written
