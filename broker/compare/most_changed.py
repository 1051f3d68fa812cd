"""The alerts that changed most, read from their places in the two tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from broker.compare.answers import Answers
from broker.compare.comparison import Comparison
from broker.compare.match import SUFFIX
from broker.report.exemplar import COLUMNS, Curve

ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class ChangedAlert:
    """An alert in both runs.

    Parameters
    ----------
    old, new : its annotations by column name, without the light curve.
    night : observing night, yyyymmdd.
    distance : half the sum of the differences of the class probabilities, 0 to 1.
    curve : its light curve in the new run.
    """

    old: dict[str, Any]
    new: dict[str, Any]
    night: str
    distance: float
    curve: Curve


def most_changed(found: Comparison, count: int) -> list[ChangedAlert]:
    """The alerts with the largest distances, of different objects, the largest first."""
    return list(islice(_of_different_objects(found), count))


def _of_different_objects(found: Comparison) -> Iterator[ChangedAlert]:
    seen: set[tuple[str, str]] = set()
    for place in found.changes.most.iter_rows(named=True):
        old = _read(found.old, place["night"], place["file"], place["row"])
        an_object = place["survey"], old["objectId"] or f"source {place['diaSourceId']}"
        if an_object in seen:
            continue
        seen.add(an_object)
        new = _read(found.new, place["night"], place[f"file{SUFFIX}"], place[f"row{SUFFIX}"])
        curve = Curve.from_points(new.pop("lightCurve"))
        old.pop("lightCurve")
        yield ChangedAlert(old, new, str(place["night"]), place["distance"], curve)


def _read(run: Answers, night: int, file: int, row: int) -> dict[str, Any]:
    """One row, its light curve as an array of points."""
    names = [name for name in COLUMNS if name in run.annotations.dataset.schema.names]
    found: dict[str, Any] = dict.fromkeys(COLUMNS) | {"deliveredTo": []}
    for batch in _around(run.files[night][file], row, names):
        found.update(batch.drop_columns("lightCurve").to_pylist()[0])
        return found | {"lightCurve": batch["lightCurve"].flatten()}
    raise IndexError(f"file {file} of night {night} has no row {row}")


def _around(fragment: ds.Fragment, row: int, names: list[str]) -> Iterator[pa.RecordBatch]:
    """The row, as a batch of one; only its row group is read, and not to its end."""
    with pq.ParquetFile(fragment.open()) as parquet:
        start = 0
        for number in range(parquet.num_row_groups):
            length = parquet.metadata.row_group(number).num_rows
            if row < start + length:
                for batch in parquet.iter_batches(ROWS_AT_ONCE, row_groups=[number], columns=names):
                    if row < start + batch.num_rows:
                        yield batch.slice(row - start, 1)
                        return
                    start += batch.num_rows
            start += length
