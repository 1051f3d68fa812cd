"""What does the annotation table hold? Its counts, and where its best alerts are, in one pass over a few columns."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from broker.run_directory import RunDirectory
from classifiers.taxonomy import NOT_CLASSIFIED

BEST_PER_CLASS = 2
"""Alerts shown of each class, of different objects."""

KEYS = ["survey", "schemaVersion", "alertId", "diaSourceId", "objectId", "classId", "className", "probability"]
STAMPS = ["broker", "classifier"]
IDS = ["survey", "alertId", "diaSourceId", "objectId"]
ROWS_AT_ONCE = 262_144
FRAMES_AT_ONCE = 256

Group = tuple[str, str, str]
"""Night (yyyymmdd), survey, schema version."""


@dataclass(frozen=True)
class Place:
    """Where a row of the annotation table is.

    Parameters
    ----------
    file : a Parquet file of the table.
    row : counted from 0 over the whole file.
    """

    file: Path
    row: int


@dataclass
class Tally:
    """What one pass over the annotation table finds.

    Parameters
    ----------
    groups : annotated alerts by night, survey and schema version.
    classes : annotated alerts by classId and name of their best class.
    software : versions that wrote the table: ``Boreal 0.1.0``, ``model first 1 (0a1b2c3d4e5f)``.
    best : where the alerts with the highest probability are, by classId, best first.
    """

    groups: Counter[Group] = field(default_factory=Counter)
    classes: Counter[tuple[int, str]] = field(default_factory=Counter)
    software: set[str] = field(default_factory=set)
    best: dict[int, list[Place]] = field(default_factory=dict)

    @property
    def alerts(self) -> int:
        """Rows of the table."""
        return self.groups.total()


def table_files(run: RunDirectory) -> list[Path]:
    """The annotation table's files, in order; names that begin with a dot aren't finished."""
    return sorted(path for path in run.annotations.rglob("*.parquet") if not path.name.startswith("."))


def tally(run: RunDirectory) -> Tally:
    """Count the annotation table, and find the best alerts of each class; memory doesn't grow with the table."""
    made, files = Tally(), table_files(run)
    best = pl.DataFrame()
    for rows in _chunks(_frames(made, files)):
        _count(made, rows)
        best = _best(pl.concat([best, rows]))
    for class_id, number, row in best.select("classId", "file", "row").iter_rows() if best.width else ():
        made.best.setdefault(class_id, []).append(Place(files[number], row))
    return made


def night_of(file: Path) -> str:
    """The night that a file of the table belongs to, from its folder ``night=yyyymmdd``."""
    return file.parent.name.removeprefix("night=")


def _frames(made: Tally, files: list[Path]) -> Iterator[pl.DataFrame]:
    """The key columns, with the night, the file's number, and the row's number in the file."""
    for number, file in enumerate(files):
        start = 0
        with pq.ParquetFile(file) as parquet:
            _note_software(made, parquet)
            for batch in parquet.iter_batches(batch_size=ROWS_AT_ONCE, columns=KEYS):
                rows = pl.DataFrame(pl.from_arrow(pa.Table.from_batches([batch])))
                row = pl.int_range(start, start + batch.num_rows, dtype=pl.Int64)
                yield rows.with_columns(night=pl.lit(night_of(file)), file=pl.lit(number), row=row)
                start += batch.num_rows


def _note_software(made: Tally, parquet: pq.ParquetFile) -> None:
    """From the first row: a file is written by one version."""
    for batch in islice(parquet.iter_batches(batch_size=1, columns=STAMPS), 1):
        for row in batch.to_pylist():
            broker, model = row["broker"], row["classifier"]
            made.software.add(f"{broker['name']} {broker['version']}")
            made.software.add(f"model {model['name']} {model['version']} ({model['bundleSha256'][:12]})")


def _chunks(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Small frames joined, since a night's file may hold a handful of alerts."""
    waiting: list[pl.DataFrame] = []
    for frame in frames:
        waiting.append(frame)
        if sum(map(len, waiting)) >= ROWS_AT_ONCE or len(waiting) == FRAMES_AT_ONCE:
            yield pl.concat(waiting)
            waiting.clear()
    if waiting:
        yield pl.concat(waiting)


def _count(made: Tally, rows: pl.DataFrame) -> None:
    for night, survey, version, n in rows.group_by("night", "survey", "schemaVersion").len().iter_rows():
        made.groups[night, survey, version] += n
    for class_id, name, n in rows.group_by("classId", "className").len().iter_rows():
        made.classes[class_id, name] += n


def _best(rows: pl.DataFrame) -> pl.DataFrame:
    """The best alerts of each class, one an object; by id among equals, so that the order of files doesn't matter."""
    an_object = pl.coalesce(pl.col("objectId"), "source " + pl.col("diaSourceId").cast(pl.Utf8))
    return (
        rows.filter(pl.col("classId") != NOT_CLASSIFIED)
        .sort("classId", "probability", *IDS, descending=[False, True, *(False for _ in IDS)])
        .unique(["classId", "survey", an_object], keep="first", maintain_order=True)
        .group_by("classId", maintain_order=True)
        .head(BEST_PER_CLASS)
        .select(rows.columns)
    )
