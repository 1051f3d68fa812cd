"""The alerts that the page shows in full, read from their places in the annotation table."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from broker.report.tally import Place, night_of

COLUMNS = [
    "survey",
    "schemaVersion",
    "alertId",
    "diaSourceId",
    "objectId",
    "mjdTai",
    "ra",
    "dec",
    "galLat",
    "hostPhotoz",
    "hostPhotozErr",
    "nPoints",
    "nDetections",
    "firstDetectionMjdTai",
    "daysSinceFirstDetection",
    "classId",
    "className",
    "probability",
    "novelty",
    "classifications",
    "origin",
    "deliveredTo",
    "lightCurve",
]
ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class Curve:
    """The light curve of one alert.

    Parameters
    ----------
    mjd : float64 array, shape (n_points,)
        MJD TAI [d], ascending.
    flux, flux_err : float64 array, shape (n_points,)
        Difference flux and its standard error [nJy].
    band : str array, shape (n_points,)
    detected : bool array, shape (n_points,)
    """

    mjd: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    band: NDArray[np.str_]
    detected: NDArray[np.bool_]

    @classmethod
    def from_points(cls, points: pa.StructArray) -> "Curve":
        """From the points of one row of the column ``lightCurve``."""
        return cls(
            np.asarray(points.field("mjd")),
            np.asarray(points.field("flux")),
            np.asarray(points.field("flux_err")),
            np.array(points.field("band").to_pylist(), dtype=np.str_),
            points.field("detected").to_numpy(zero_copy_only=False),
        )

    def __len__(self) -> int:
        return len(self.mjd)


@dataclass(frozen=True)
class Exemplar:
    """An alert to show.

    Parameters
    ----------
    columns : its annotation by column name, without the light curve.
    night : observing night, yyyymmdd.
    curve : its light curve.
    """

    columns: dict[str, Any]
    night: str
    curve: Curve


def read_exemplars(best: dict[int, list[Place]]) -> dict[int, list[Exemplar]]:
    """The alerts at these places, by classId; a file is read no further than its last wanted row."""
    found = dict(_read_places(place for places in best.values() for place in places))
    return {class_id: [found[place] for place in places] for class_id, places in best.items()}


def _read_places(places: Iterable[Place]) -> Iterator[tuple[Place, Exemplar]]:
    by_file: defaultdict[Path, list[int]] = defaultdict(list)
    for place in places:
        by_file[place.file].append(place.row)
    for file, rows in by_file.items():
        for row, batch in _rows(file, sorted(rows)):
            yield Place(file, row), _exemplar(batch, file)


def _rows(file: Path, wanted: list[int]) -> Iterator[tuple[int, pa.RecordBatch]]:
    start = 0
    with pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(batch_size=ROWS_AT_ONCE, columns=COLUMNS):
            while wanted and wanted[0] < start + batch.num_rows:
                row = wanted.pop(0)
                yield row, batch.slice(row - start, 1)
            if not wanted:
                return
            start += batch.num_rows


def _exemplar(row: pa.RecordBatch, file: Path) -> Exemplar:
    columns: dict[str, Any] = row.drop_columns("lightCurve").to_pylist()[0]
    return Exemplar(columns, night_of(file), Curve.from_points(row["lightCurve"].flatten()))
