"""How exported files are written: small enough row groups, and statistics, by which readers pass over them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from broker.tables._file import leaves

ROW_GROUP_BYTES = 32 * 2**20
"""In memory."""


@dataclass(frozen=True)
class Written:
    """What an export wrote.

    Parameters
    ----------
    rows : how many, of all files.
    files : how many files of rows.
    size : bytes of these files.
    """

    rows: int
    files: int
    size: int

    def __add__(self, other: "Written") -> "Written":
        return Written(self.rows + other.rows, self.files + other.files, self.size + other.size)


NOTHING = Written(0, 0, 0)


def write_file(path: Path, pieces: Iterable[pa.Table]) -> Written:
    """Write the pieces to one file; no file where none has rows."""
    some = (piece for piece in pieces if piece.num_rows)
    first = next(some, None)
    if first is None:
        return NOTHING
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = 0
    with pq.ParquetWriter(path, first.schema, **_options(first.schema)) as writer:
        for piece in (first, *some):
            at_once = max(1, piece.num_rows * ROW_GROUP_BYTES // max(piece.nbytes, 1))
            writer.write_table(piece, row_group_size=at_once)
            rows += piece.num_rows
    return Written(rows, 1, path.stat().st_size)


def _options(schema: pa.Schema) -> dict[str, object]:
    # A fraction is another one in every row: a dictionary of them is larger than the column, and slower.
    repeated = [path for path, kind in leaves(schema) if not pa.types.is_floating(kind)]
    return {"compression": "zstd", "compression_level": 3, "use_dictionary": repeated}
