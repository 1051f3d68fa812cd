"""What a run answered: the columns that a comparison needs, a night at a time."""

from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from broker.errors import WrongInputError
from broker.tables.dataset import Annotations
from classifiers.taxonomy import TAXONOMY, descendants

KEY = ("survey", "alertId", "diaSourceId")
"""What tells alerts apart."""

VERDICT = ("classId", "probability", "novelty")
NAMES = ("matchedFilters", "deliveredTo")


def class_columns(schema: pa.Schema) -> dict[str, int]:
    """The classId of each probability column of a single class; those of groups add up what these hold."""
    here = [node for node in TAXONOMY if node.column in schema.names]
    ids = {node.id for node in here}
    return {str(node.column): node.id for node in here if descendants(node.id) & ids == {node.id}}


@dataclass
class Answers:
    """The answers of one run.

    Parameters
    ----------
    annotations : the table.
    rows : alerts read so far.
    repeated : rows whose key an earlier row of the night has; they aren't read.
    class_names : the name of each class that was some alert's best.
    software : versions that wrote the table, with the number of files of each.
    """

    annotations: Annotations
    rows: int = 0
    repeated: int = 0
    class_names: dict[int, str] = field(default_factory=dict)
    software: dict[tuple[str, ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = self.annotations.dataset.schema.names
        missing = [name for name in (*KEY, *VERDICT, "lightCurve") if name not in names]
        if missing:
            raise WrongInputError(f"{self.annotations.name} is no annotation table: it has no column {missing[0]}")
        self.classes = class_columns(self.annotations.dataset.schema)
        self.files = self.annotations.fragments_by_night()

    def night(self, night: int) -> pl.DataFrame:
        """The rows of a night, one a key: key, verdict, class probabilities, filters, and the row's place.

        The place is the number of the night's file, and the row in it, counted from 0. Filters are text, their names
        with commas between.
        """
        frames = [self._frame(number, fragment) for number, fragment in enumerate(self.files.get(night, []))]
        if not frames:
            return self._empty()
        found = pl.concat(frames)
        once = found.unique(KEY, keep="first", maintain_order=True)
        self.rows += once.height
        self.repeated += found.height - once.height
        return once

    def _frame(self, number: int, fragment: ds.Fragment) -> pl.DataFrame:
        self._note(fragment)
        rows = self.annotations.read(fragment, [*KEY, *VERDICT, "className", *self.classes, *self._name_columns])
        found = pl.DataFrame(pl.from_arrow(rows))
        self.class_names.update(found.select("classId", "className").unique().iter_rows())
        return self._shaped(found, number)

    def _shaped(self, found: pl.DataFrame, number: int) -> pl.DataFrame:
        names = [
            (pl.col(name).list.join(",") if name in self._name_columns else pl.lit("")).alias(name) for name in NAMES
        ]
        place = [pl.lit(number, pl.Int32).alias("file"), pl.int_range(pl.len(), dtype=pl.Int32).alias("row")]
        return found.select(
            pl.col("survey").cast(pl.Categorical), *KEY[1:], *VERDICT, *self.classes,
            *(name.cast(pl.Categorical) for name in names), *place,
        )  # fmt: skip

    @property
    def _name_columns(self) -> list[str]:
        return [name for name in NAMES if name in self.annotations.dataset.schema.names]

    def _empty(self) -> pl.DataFrame:
        schema = self.annotations.dataset.schema
        columns = [schema.field(name) for name in (*KEY, *VERDICT, "className", *self.classes, *self._name_columns)]
        return self._shaped(pl.DataFrame(pl.from_arrow(pa.schema(columns).empty_table())), 0)

    def _note(self, fragment: ds.Fragment) -> None:
        """Which software wrote a file, from its first row: a file is written by one version."""
        with self.annotations.reading(fragment), pq.ParquetFile(fragment.open()) as file:
            head = next(file.iter_batches(batch_size=1, columns=["broker", "classifier"]), None)
        for row in head.to_pylist() if head else ():
            broker, model = row["broker"], row["classifier"]
            found = (
                broker["name"], broker["version"], broker["featuresSha256"],
                model["name"], model["version"], model["bundleSha256"],
            )  # fmt: skip
            self.software[found] = self.software.get(found, 0) + 1
