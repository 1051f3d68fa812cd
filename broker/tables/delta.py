"""The annotation table as a Delta Lake table: a commit a micro-batch, with its number and its books in it.

The number is the commit's application transaction, which Delta Lake keeps for ever: a micro-batch that comes again is
recognised, also by another process, and of two writers of the same batch one is refused. The books lie in the commit's
own entry of the log, so rows, number and books are there together or not at all.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
)
from deltalake import Schema as DeltaSchema
from deltalake.exceptions import TableNotFoundError

from broker.errors import TableError
from broker.object_store import is_address, plain
from broker.tables._delta_files import add_files, parquet_files
from broker.tables._file import ROWS_AT_ONCE
from broker.tables.table import Committed, TableBatch

BOOKS = "boreal"
"""The key of the log's entries below which a micro-batch's stream, number and books stand."""

PROPERTIES = {
    # Whoever opens the table reads the newest checkpoint and the commits since, one file each; writing a checkpoint
    # takes as long as reading the whole list of files. 50 micro-batches are some minutes of a stream.
    "delta.checkpointInterval": "50",
    # The log's entries carry the books, which an audit may ask for: a month of them. Opening doesn't read them.
    "delta.logRetentionDuration": "interval 30 days",
    # Readers of an older version find its files for a week: the default of `boreal compact`.
    "delta.deletedFileRetentionDuration": "interval 168 hours",
    # Only time tells a night's files apart: each holds all classes and a whole field of the sky. Limits of the other
    # columns would make the log several times as large and skip nothing.
    "delta.dataSkippingStatsColumns": "mjdTai",
}

HISTORY_STEPS = (16, 1024, None)
"""How many of the newest commits are searched for micro-batches' books; a compaction may have made some."""


class DeltaAnnotations:
    """The annotation table, as a Delta Lake table.

    It is made with the first micro-batch. One process writes; another may compact it at the same time.

    Parameters
    ----------
    location : a directory, or the address of one in an object store.
    storage_options : what the object store asks for, in the words of delta-rs; also taken from the environment.
    """

    def __init__(self, location: str | Path, storage_options: Mapping[str, str] = MappingProxyType({})) -> None:
        self.location = str(location)
        self._storage_options = dict(storage_options)
        self._opened: DeltaTable | None = None

    def write(self, batch: TableBatch, /) -> None:
        """Commit the micro-batch, one without rows too; nothing to do where the table has it already.

        Columns that the table hasn't got are added to it, as null for the rows that it holds.

        Raises
        ------
        TableError
            If the table can't be written, or has a column of the same name and another type.
        """
        with self._failing("written"):
            table, before = self._newest(), -1
            if table is None:
                table = self._create(batch.annotations.schema)
            else:
                before = table.version()
            if _has(table, batch):
                return
            _fit(table, batch.annotations.schema)
            try:
                _append(table, batch, self._storage_options)
            except Exception:
                # What follows the commit may have failed, a checkpoint for one; the commit itself counts.
                table.update_incremental()
                if not _has(table, batch):
                    raise
            else:
                table.update_incremental()  # delta-rs leaves it at the version before
            self._sync(range(before + 1, table.version() + 1))

    def after(self, stream: str, number: int, /) -> Sequence[Committed]:
        """The stream's micro-batches in the table behind this one, ascending.

        It is one at most, but where the ledger was restored from a copy. Books are empty where the log's entry is older
        than the log is kept (`PROPERTIES`).

        Raises
        ------
        TableError
            If the table can't be read.
        """
        with self._failing("read"):
            table = self._newest()
            newest = table.transaction_version(stream) if table else None
            if table is None or newest is None or newest <= number:
                return ()
            wanted = range(number + 1, newest + 1)
            books = _books(table, stream, wanted)
            return [Committed(each, books.get(each, {})) for each in wanted]

    def discard_uncommitted(self, _last_batch: Mapping[str, int], /) -> None:
        """Nothing to do: no reader sees files that no commit names; `boreal compact` removes them in time."""

    def rows(self, columns: Sequence[str], nights: Sequence[int] | None = None, /) -> Iterator[pa.Table]:
        """The rows of all committed batches, at most `ROWS_AT_ONCE` at a time.

        They are those of the version that is the newest when the first is asked for, whatever is written meanwhile.

        Raises
        ------
        TableError
            If the table can't be read, or has no such column.
        """
        with self._failing("read"):
            table = self._newest()
            if table is None:
                return
            wanted = None if nights is None else [("night", "in", list(nights))]
            batches = table.to_pyarrow_dataset(file_pruning_predicate=wanted).to_batches(
                columns=list(columns), batch_size=ROWS_AT_ONCE, batch_readahead=1, fragment_readahead=1
            )
            yield from (pa.Table.from_batches([batch]) for batch in batches if batch.num_rows)

    def nights(self) -> Sequence[int]:
        """The nights that the table has rows of, ascending.

        Raises
        ------
        TableError
            If the table can't be read.
        """
        with self._failing("read"):
            table = self._newest()
            return _nights(table) if table else ()

    def _newest(self) -> DeltaTable | None:
        """The table as it is now; None where there is none."""
        if self._opened is None:
            try:
                self._opened = DeltaTable(self.location, storage_options=self._storage_options)
            except TableNotFoundError:
                return None
        else:
            self._opened.update_incremental()
        return self._opened

    def _create(self, schema: pa.Schema) -> DeltaTable:
        if any(parquet_files(self.location, self._storage_options)):
            raise TableError(
                f"{self.location} holds Parquet files but no Delta table; give another directory, or keep to Parquet"
            )
        self._opened = DeltaTable.create(
            self.location,
            schema,
            partition_by=["night"],
            configuration=PROPERTIES,
            storage_options=self._storage_options,
        )
        return self._opened

    def _sync(self, versions: range) -> None:
        """Have the disk keep what was committed, which delta-rs leaves to the system; an object store has it."""
        if is_address(self.location):
            return
        folder = Path(self.location)
        for version in versions:
            entry = folder / "_delta_log" / f"{version:020}.json"
            actions = map(json.loads, entry.read_text(encoding="utf-8").splitlines())
            files = [entry, *(folder / action["add"]["path"] for action in actions if "add" in action)]
            for path in (*files, *{file.parent for file in files}, folder):
                _fsync(path)

    @contextmanager
    def _failing(self, done: str) -> Iterator[None]:
        """Tell what goes wrong as a TableError, and read the table anew the next time."""
        try:
            yield
        except TableError:
            raise
        except Exception as error:  # delta-rs raises errors of its own, of the system, of Arrow, and plain ones
            self._opened = None
            raise TableError(f"the annotation table at {self.location} can't be {done}: {plain(error)}") from error


def writer_properties(schema: pa.Schema) -> WriterProperties:
    """How a compaction writes Parquet files of these columns; a stream does it in `broker.tables._file`."""
    # A fraction is another one in every row: a dictionary of them is larger than the column. Those in the light curves
    # have no name here, so columns without a dictionary are the rule. Limits of pages, one set a column, are a large
    # part of a small file; those of row groups stay.
    repeated = ColumnProperties(dictionary_enabled=True, statistics_enabled="CHUNK")
    return WriterProperties(
        compression="ZSTD",
        compression_level=3,
        max_row_group_size=ROWS_AT_ONCE,
        default_column_properties=ColumnProperties(dictionary_enabled=False, statistics_enabled="CHUNK"),
        column_properties={field.name: repeated for field in schema if not pa.types.is_floating(field.type)},
    )


def _append(table: DeltaTable, batch: TableBatch, storage_options: dict[str, str]) -> None:
    """Write the rows of each night to a file, then commit the files."""
    table.create_write_transaction(
        [*add_files(table, batch.annotations, storage_options)],
        mode="append",
        schema=table.schema(),
        partition_by=["night"],
        commit_properties=CommitProperties(
            app_transactions=[Transaction(batch.stream, batch.number)],
            custom_metadata={BOOKS: {"stream": batch.stream, "number": batch.number, "books": dict(batch.books)}},
        ),
    )


def _has(table: DeltaTable, batch: TableBatch) -> bool:
    newest = table.transaction_version(batch.stream)
    return newest is not None and newest >= batch.number


def _books(table: DeltaTable, stream: str, wanted: range) -> Mapping[int, Mapping[str, Any]]:
    """The books of these micro-batches, as far as the log has them; they are among its newest entries."""
    found: dict[int, Mapping[str, Any]] = {}
    for limit in HISTORY_STEPS:
        entries = (commit.get(BOOKS, {}) for commit in table.history(limit))
        found = {each["number"]: each["books"] for each in entries if each.get("stream") == stream}
        if wanted[0] in found:
            break
    return found


def _nights(table: DeltaTable) -> tuple[int, ...]:
    return tuple(sorted({int(partition["night"]) for partition in table.partitions()}))


def _fit(table: DeltaTable, schema: pa.Schema) -> None:
    """Add columns that the table hasn't got; raise TableError where one of the batch isn't as the table has it."""
    here = {field.name: field for field in pa.schema(table.schema().to_arrow())}
    for field in schema:
        if field.name in here and field.type != here[field.name].type:
            raise TableError(
                f"column {field.name} is {field.type}, and {here[field.name].type} in the table at "
                f"{table.table_uri}; write to a new table"
            )
    given = set(schema.names)
    missing = [name for name, field in here.items() if name not in given and not field.nullable]
    if missing:
        raise TableError(f"column {missing[0]} is missing, and never null in the table at {table.table_uri}")
    new = [field for field in schema if field.name not in here]
    if new:
        table.alter.add_columns(DeltaSchema.from_arrow(pa.schema(new)).fields)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
