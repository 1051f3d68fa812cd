"""An annotation table of any size, made of real annotations."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from broker._derive import night_of
from broker.tables._file import write_file

FIRST_NIGHT = 61100.6
"""MJD TAI [d] at which the first night begins."""

NIGHT_DAYS = 0.4
ALERTS_PER_OBJECT = 20
SCATTER = 0.02
"""Numbers differ from those of the real annotations by this part of them, so that none is another's copy."""

BATCHES_PER_NIGHT = 4
"""Files that a night has."""


def write_table(annotations: pa.Table, folder: Path, rows: int, nights: int, seed: int = 1) -> None:
    """Write a table as `boreal run` does, a folder a night.

    Ids and times are new, and every measured number, feature and probability is changed a little; texts, flags, lists
    and light curves are those of the real annotations.

    Parameters
    ----------
    annotations : real ones, columns of `broker.annotate.schema_for`.
    folder : where to write.
    rows : how many alerts.
    nights : over how many nights.
    seed : the same one gives the same table.
    """
    draw = np.random.default_rng(seed)
    for number, (night, count) in enumerate(_parts(rows, nights)):
        mjd = FIRST_NIGHT + night + np.sort(draw.random(count)) * NIGHT_DAYS
        part = _renamed(annotations.take(pa.array(draw.integers(0, annotations.num_rows, count))), mjd, rows, draw)
        path = folder / f"night={night_of(mjd)[0]}" / f"part-0a1b2c3d-{number:08}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(part, path)


def _parts(rows: int, nights: int) -> Iterator[tuple[int, int]]:
    """The night and the number of rows of each file."""
    edges = np.linspace(0, rows, nights * BATCHES_PER_NIGHT + 1).astype(int)
    for number, count in enumerate(np.diff(edges)):
        if count:
            yield number // BATCHES_PER_NIGHT, int(count)


def _renamed(rows: pa.Table, mjd: np.ndarray, total: int, draw: np.random.Generator) -> pa.Table:
    """New alerts like these, without the night, which stands in the path."""
    ids = draw.integers(0, 2**62, len(mjd))
    objects = draw.integers(0, max(total // ALERTS_PER_OBJECT, 1), len(mjd))
    made = {
        "alertId": pa.array(ids),
        "diaSourceId": pa.array(ids),
        "objectId": pa.array([f"{170_000_000_000_000_000 + each}" for each in objects]),
        "mjdTai": pa.array(mjd),
    }
    columns = {field.name: made.get(field.name, _scattered(rows[field.name], draw)) for field in rows.schema}
    columns.pop("night")
    return pa.table(columns)


def _scattered(column: pa.ChunkedArray, draw: np.random.Generator) -> pa.ChunkedArray | pa.Array:
    if not pa.types.is_floating(column.type):
        return column
    values = np.asarray(column, dtype=np.float64) * (1 + SCATTER * draw.standard_normal(len(column)))
    return pa.array(values, column.type, mask=np.asarray(column.is_null()))
