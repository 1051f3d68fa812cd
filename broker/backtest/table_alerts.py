"""Annotated alerts from an annotation table: Parquet files, or a Delta table.

Only the columns that are asked for are read, and no more than a piece is in memory.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from broker.backtest._unnested import unnested
from broker.backtest.alerts import KEYS, Piece, with_night
from broker.errors import WrongInputError
from broker.tables._file import ROWS_AT_ONCE

PARTS_AT_ONCE = 32
"""Row groups that are read together at most: what a file says of itself is a MB or two, with hundreds of columns."""

PARTITIONS = ds.partitioning(flavor="hive")


@dataclass(frozen=True)
class _Part:
    """A row group of a file, and what the file's path says of its rows."""

    path: str
    partition: ds.Expression
    row_group: int
    rows: int


@dataclass(frozen=True, eq=False)
class TableAlerts:
    """The rows of an annotation table; see `broker.backtest.alerts.Alerts`.

    Parameters
    ----------
    name : as the caller gave it.
    dataset : the table's files.
    """

    name: str
    dataset: ds.Dataset = field(repr=False)

    @classmethod
    def of_files(cls, name: str, files: Sequence[Path], root: Path) -> "TableAlerts":
        """A table of Parquet files; folders below `root` that are called ``night=20260310`` give a column.

        Raises
        ------
        WrongInputError
            If they can't be read, or aren't annotations.
        """
        names = [str(file) for file in files]
        try:
            # A later model bundle may have other columns: what a file hasn't got is unknown there.
            kinds = list(dict.fromkeys(map(pq.read_schema, names)))
            found = ds.dataset(names, format="parquet", partitioning=PARTITIONS, partition_base_dir=str(root))
            whole = pa.unify_schemas([*kinds, found.schema])
        except (pa.ArrowException, OSError) as error:
            raise WrongInputError(f"{name} can't be read as Parquet: {error}") from None
        return cls.of(name, found.replace_schema(whole))

    @classmethod
    def of(cls, name: str, dataset: ds.Dataset) -> "TableAlerts":
        """A table that is open.

        Raises
        ------
        WrongInputError
            If it isn't one of annotations.
        """
        missing = [column for column in KEYS if column not in (*dataset.schema.names, "night")]
        if missing:
            raise WrongInputError(
                f"{name} is no annotation table: it has no column {missing[0]}; "
                "give the results of a run, Parquet files of annotations, a Delta table, or packets"
            )
        return cls(name, dataset)

    @cached_property
    def _groups(self) -> list[list[_Part]]:
        """Row groups that are read together."""
        groups: list[list[_Part]] = []
        room = 0
        for part in self._parts():
            if part.rows > room or not groups or len(groups[-1]) == PARTS_AT_ONCE:
                groups.append([])
                room = ROWS_AT_ONCE
            groups[-1].append(part)
            room -= part.rows
        return groups

    def _parts(self) -> Iterator[_Part]:
        for file in self.dataset.get_fragments():
            # Of its own, since a dataset keeps what it knows of its files: a MB each, with hundreds of columns.
            opened = self._open(file.path, file.partition_expression)
            for group in opened.row_groups:
                yield _Part(file.path, file.partition_expression, group.id, group.num_rows)

    def _open(self, path: str, partition: ds.Expression, row_groups: Sequence[int] | None = None) -> ds.Fragment:
        return self.dataset.format.make_fragment(path, self.dataset.filesystem, partition, row_groups)

    @property
    def total(self) -> int:
        """The rows of the table."""
        return sum(part.rows for group in self._groups for part in group)

    @property
    def columns(self) -> Collection[str]:
        """The table's columns, and the night."""
        return {*self.dataset.schema.names, "night"}

    def pieces(self, columns: Sequence[str], only: Collection[int] | None = None) -> Iterator[Piece]:
        """Some row groups at a time; at most `ROWS_AT_ONCE` rows where no row group is larger."""
        stored = [name for name in columns if name in self.dataset.schema.names]
        for number, group in enumerate(self._groups):
            if only is None or number in only:
                yield Piece(number, with_night(self._read(group, stored)))

    def _read(self, group: Sequence[_Part], columns: Sequence[str]) -> pa.Table:
        opened = [self._open(part.path, part.partition, [part.row_group]) for part in group]
        files = ds.FileSystemDataset(opened, self.dataset.schema, self.dataset.format, self.dataset.filesystem)
        try:
            return unnested(files.to_table(columns=list(columns)))
        except (pa.ArrowException, OSError) as error:
            raise WrongInputError(f"{self.name} can't be read: {error}") from None
