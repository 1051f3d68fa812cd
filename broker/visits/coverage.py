"""What an annotation table says of each visit, added up a piece at a time.

Whatever the pieces and their order, the sums are the same: all of them are of whole numbers.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

import numpy as np
import polars as pl
import pyarrow as pa

from broker._utc import unix_seconds
from broker.errors import WrongInputError
from broker.tables.dataset import Annotations
from schemas.annotation import PUBLISHED

ROWS_AT_ONCE = 131_072
KEY = ["survey", "visit"]
NEEDED = ("survey", "visit", "detector", "band", "mjdTai")
PIECE = {
    "survey": pl.String, "visit": pl.Int64, "detector": pl.Int32, "band": pl.String, "mjdTai": pl.Float64,
    "observed": pl.Int64, "came": pl.Int64,
}  # fmt: skip
"""Columns of a piece: `observed` and `came` are the observation's time and Kafka's time stamp [ms since 1970, UTC]."""


class _Sums:
    """Rows that are summed up now and then, so that there are never many more than the sums are."""

    def __init__(self, summed: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        self._summed = summed
        self._parts: list[pl.DataFrame] = []
        self._rows, self._limit = 0, ROWS_AT_ONCE

    def add(self, part: pl.DataFrame) -> None:
        self._parts.append(part)
        self._rows += len(part)
        if self._rows > self._limit:
            self._rows = len(self.now())
            self._limit = 2 * self._rows + ROWS_AT_ONCE

    def now(self) -> pl.DataFrame:
        """The sums of what was added, one part at least."""
        self._parts = [self._summed(pl.concat(self._parts))]
        return self._parts[0]


class Coverage:
    """Adds up alerts by visit."""

    def __init__(self) -> None:
        self._sums = _Sums(lambda rows: rows.group_by(KEY).agg(*_SUMS))
        self._detectors = _Sums(lambda rows: rows.unique())
        self.without: dict[str, int] = {}
        """Alerts that don't tell their visit, by survey."""
        self.add(pl.DataFrame(schema=PIECE))

    def add(self, piece: pl.DataFrame) -> None:
        """Take in some alerts, in the columns of `PIECE`."""
        nowhere = piece.filter(pl.col("visit").is_null())
        for survey, count in nowhere.group_by("survey").len().iter_rows():
            self.without[survey] = self.without.get(survey, 0) + count
        numbered = piece.filter(pl.col("visit").is_not_null())
        self._sums.add(_first_sums(numbered))
        self._detectors.add(numbered.select(*KEY, "detector").drop_nulls().unique())

    def visits(self) -> pl.DataFrame:
        """A row a visit, by survey and time.

        `band` is null where there are several; `stamped` counts the alerts with a time stamp of Kafka, and `cameSum` is
        the sum of their latencies [ms].
        """
        seen = self._detectors.now().group_by(KEY).agg(pl.len().cast(pl.Int64).alias("detectors"))
        one_band = pl.when(pl.col("band") == pl.col("lastBand")).then("band").alias("band")
        rows = self._sums.now().join(seen, on=KEY, how="left").with_columns(one_band, pl.col("detectors").fill_null(0))
        return rows.select(VISITS).sort("survey", "firstMjdTai", "visit")


VISITS = (
    "survey", "visit", "band", "detectors", "alerts", "firstMjdTai", "lastMjdTai", "observed", "firstCame", "lastCame",
    "stamped", "cameSum",
)  # fmt: skip

_SUMS = (
    *(pl.col(name).min() for name in ("band", "firstMjdTai", "observed", "firstCame")),
    *(pl.col(name).max() for name in ("lastBand", "lastMjdTai", "lastCame")),
    *(pl.col(name).sum() for name in ("alerts", "stamped", "cameSum")),
)


def _first_sums(alerts: pl.DataFrame) -> pl.DataFrame:
    return alerts.group_by(KEY).agg(
        pl.col("band").min(),
        pl.col("band").max().alias("lastBand"),
        pl.len().cast(pl.Int64).alias("alerts"),
        pl.col("mjdTai").min().alias("firstMjdTai"),
        pl.col("mjdTai").max().alias("lastMjdTai"),
        pl.col("observed").min(),
        pl.col("came").min().alias("firstCame"),
        pl.col("came").max().alias("lastCame"),
        pl.col("came").count().cast(pl.Int64).alias("stamped"),
        (pl.col("came") - pl.col("observed")).sum().alias("cameSum"),
    )


def pieces(
    annotations: Annotations, nights: Collection[int] | None, on_file: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, Iterable[pl.DataFrame]]]:
    """Yield each night with its alerts, in the columns of `PIECE`, nights ascending; no more than a piece is in memory.

    Parameters
    ----------
    annotations : the table.
    nights : only these; None for all.
    on_file : called after each file.

    Raises
    ------
    WrongInputError
        If the table has no visits.
    TableError
        If a file can't be read.
    """
    names = annotations.dataset.schema.names
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise WrongInputError(
            f"{annotations.name} has no column {missing[0]}: it isn't an annotation table, or one of a version of "
            "Boreal that didn't know visits"
        )
    columns = [*NEEDED, *(name for name in (PUBLISHED.name,) if name in names)]
    for night, files in annotations.fragments_by_night().items():
        if nights is None or night in nights:
            yield night, _pieces_of(annotations, files, columns, on_file)


def _pieces_of(
    annotations: Annotations, files: Iterable[pa.dataset.Fragment], columns: list[str], on_file: Callable[[], None]
) -> Iterator[pl.DataFrame]:
    for file in files:
        for batch in annotations.batches(file, ROWS_AT_ONCE, columns):
            yield piece_of(pa.Table.from_batches([batch]))
        on_file()


def piece_of(alerts: pa.Table) -> pl.DataFrame:
    """Annotations as columns of `PIECE`."""
    frame = pl.DataFrame(pl.from_arrow(alerts))
    observed = np.rint(unix_seconds(frame["mjdTai"].to_numpy()) * 1000).astype(np.int64)
    came = pl.col(PUBLISHED.name) if PUBLISHED.name in frame.columns else pl.lit(None, pl.Int64)
    return frame.with_columns(pl.Series("observed", observed), came.alias("came")).select(
        pl.col(name).cast(kind) for name, kind in PIECE.items()
    )
