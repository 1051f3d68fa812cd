"""Which alert stands for its object? The newest one, since its packet holds the longest light curve."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from broker._pair_set import Pairs, distinct

COLUMNS = ("survey", "objectId", "mjdTai", "alertId", "diaSourceId")
ROWS_AT_ONCE = 262_144

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Chosen:
    """The alerts that stand for their objects, by survey."""

    ids: dict[str, Pairs]

    def among(self, rows: pa.Table | pa.RecordBatch) -> Rows:
        """Which rows are chosen, shape (n_rows,)."""
        found = np.zeros(rows.num_rows, dtype=np.bool_)
        for survey, pairs in self.ids.items():
            here = np.flatnonzero(pc.equal(rows["survey"], survey))
            asked, first = distinct(*(_integers(rows, name)[here] for name in ("alertId", "diaSourceId")))
            found[here[first]] = pairs.holds(asked)
        return found


class NewestAlerts:
    """Finds the newest alert of each object; some 150 bytes an object are held.

    An alert without an object stands for itself. Of alerts of the same time the one with the largest ids counts.
    """

    def __init__(self) -> None:
        self._newest = pl.DataFrame()
        self._waiting: list[pl.DataFrame] = []

    def add(self, rows: pa.Table, **columns: NDArray[np.int64]) -> None:
        """Look at more alerts, a table with `COLUMNS`; further columns are kept beside them."""
        an_object = pl.coalesce(pl.col("objectId"), "source " + pl.col("diaSourceId").cast(pl.String))
        found = pl.DataFrame(pl.from_arrow(rows.select(list(COLUMNS))))
        further = [pl.Series(name, values) for name, values in columns.items()]
        self._waiting.append(found.with_columns(an_object.alias("objectId"), *further))
        if sum(map(len, self._waiting)) >= ROWS_AT_ONCE:
            self._merge()

    def table(self) -> pl.DataFrame:
        """The newest alert of each object, with the columns that were given."""
        self._merge()
        return self._newest

    def chosen(self) -> Chosen:
        """Their ids."""
        ids = {}
        for (survey,), rows in self.table().group_by("survey") if self.table().width else ():
            pairs, _ = distinct(*(rows[name].to_numpy() for name in ("alertId", "diaSourceId")))
            ids[str(survey)] = pairs
        return Chosen(ids)

    def _merge(self) -> None:
        if not self._waiting:
            return
        parts = [self._newest, *self._waiting] if self._newest.width else self._waiting
        self._waiting = []
        self._newest = (
            pl.concat(parts)
            .sort("mjdTai", "alertId", "diaSourceId")
            .unique(["survey", "objectId"], keep="last", maintain_order=True)
        )


def _integers(rows: pa.Table | pa.RecordBatch, name: str) -> NDArray[np.int64]:
    return np.asarray(rows[name], dtype=np.int64)
