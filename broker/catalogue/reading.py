"""The rows to export, with their places on the sky."""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from broker._healpix import pixels
from broker.errors import WrongInputError
from broker.tables.dataset import Annotations

INDEX = "_healpix_29"
"""The column with the HEALPix cell of order 29, by the name that HATS gives it."""

ORDER = (INDEX, "mjdTai", "survey", "alertId", "diaSourceId")
"""What rows are sorted by: alike places together, and never by chance."""

ROWS_AT_ONCE = 4096


def rows_of(annotations: Annotations, on_file: Callable[[], None]) -> Iterator[pa.Table]:
    """All columns of the table, the HEALPix cell first, at most `ROWS_AT_ONCE` rows at a time.

    Parameters
    ----------
    annotations : the table.
    on_file : called after each of its files.

    Raises
    ------
    WrongInputError
        If the table isn't one of annotations.
    TableError
        If a file can't be read.
    """
    schema = annotations.dataset.schema
    for name in ("ra", "dec", "night", "objectId", "lightCurve", *ORDER[1:]):
        if name not in schema.names:
            raise WrongInputError(f"{annotations.name} is no annotation table: it has no column {name}")
    for fragments in annotations.fragments_by_night().values():
        for fragment in fragments:
            for batch in annotations.batches(fragment, ROWS_AT_ONCE):
                yield _placed(pa.Table.from_batches([batch]))
            on_file()


def _placed(rows: pa.Table) -> pa.Table:
    found = pixels(*(np.asarray(rows[name], dtype=np.float64) for name in ("ra", "dec")))
    field = pa.field(
        INDEX, pa.int64(), nullable=False, metadata={"unit": "", "meaning": "HEALPix cell of order 29, nested"}
    )
    return rows.add_column(0, field, pa.array(found))
