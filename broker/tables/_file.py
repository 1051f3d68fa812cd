"""How files of annotations are written: a night each, small, and fast, since all workers wait for the driver."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROWS_AT_ONCE = 16_384
"""Rows of a row group, which is what a reader holds in memory: about 70 MB with every column."""


def by_night(rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Each night's rows, without the night, which stands in the file's path; nights ascending.

    Rows that follow one another, as those of a micro-batch do, aren't copied.
    """
    nights, rest = rows["night"], rows.drop_columns("night")
    for night in sorted(pc.unique(nights).to_pylist()):
        found = np.flatnonzero(pc.equal(nights, night))
        together = found[-1] - found[0] + 1 == len(found)
        yield night, rest.slice(found[0], len(found)) if together else rest.take(pa.array(found))


def write_file(rows: pa.Table, to: Any) -> None:
    """Write annotations of a night.

    Parameters
    ----------
    rows : annotation columns but the night.
    to : a path, or a file that can be written to.
    """
    pq.write_table(
        rows,
        to,
        row_group_size=ROWS_AT_ONCE,
        compression="zstd",
        # As small as 3, and faster; 1 is no faster, and doesn't find what the light curves of an object share.
        compression_level=2,
        # A fraction is another one in every row: a dictionary of them is larger than the column, and slower. (Split
        # into streams of bytes they would take three quarters of the space, but Spark can't read that.)
        use_dictionary=[path for path, kind in leaves(rows.schema) if not pa.types.is_floating(kind)],
        # Only time tells a night's files apart: each holds all classes and a whole field of the sky.
        write_statistics=["mjdTai"],
    )


def leaves(fields: pa.Schema | pa.StructType, before: str = "") -> Iterator[tuple[str, pa.DataType]]:
    """Path and type of each column of a file: fields of structures and elements of lists have one of their own."""
    for field in fields:
        path, kind = f"{before}{field.name}", field.type
        while pa.types.is_list(kind):
            path, kind = f"{path}.list.element", kind.value_type
        if pa.types.is_struct(kind):
            yield from leaves(kind, f"{path}.")
        else:
            yield path, kind
