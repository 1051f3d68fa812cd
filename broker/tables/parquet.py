"""The annotation table as plain Parquet: one folder a night, one file a micro-batch and night; the ledger commits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.dataset as ds

from broker._atomic import replacing
from broker.errors import TableError
from broker.run_directory import RunDirectory, part_stem
from broker.tables._file import by_night, write_file
from broker.tables.table import Committed, TableBatch

PARTITIONS = ds.partitioning(pa.schema([("night", pa.int32())]), flavor="hive")


@dataclass(frozen=True)
class ParquetAnnotations:
    """The folder `annotations` of a run's directory; see `broker.tables.table.AnnotationTable`."""

    run: RunDirectory

    def write(self, batch: TableBatch) -> None:
        """Write the micro-batch's annotations, split by night; the same batch written again replaces its files."""
        stem = part_stem(batch.stream, batch.number)
        try:
            for night, rows in by_night(batch.annotations):
                with replacing(self.run.annotations / f"night={night}" / f"{stem}.parquet") as path:
                    write_file(rows, path)
        except OSError as error:
            raise TableError(f"the annotation table {self.run.annotations} can't be written: {error}") from error

    def after(self, _stream: str, _number: int) -> Sequence[Committed]:
        """None: files count once the ledger has their micro-batch."""
        return ()

    def discard_uncommitted(self, _last_batch: Mapping[str, int]) -> None:
        """Nothing to do: the run's directory removes all parts that the ledger hasn't got."""

    def rows(self, columns: Sequence[str], nights: Sequence[int] | None = None) -> Iterator[pa.Table]:
        """The rows, a file at a time."""
        found = ds.dataset(self.run.annotations, format="parquet", partitioning=PARTITIONS)
        wanted = None if nights is None else ds.field("night").isin(nights)
        for fragment in found.get_fragments(filter=wanted):
            scan = ds.Scanner.from_fragment(fragment, schema=found.schema, columns=list(columns))
            yield scan.to_table()

    def nights(self) -> Sequence[int]:
        """The nights whose folders hold files."""
        folders = {file.parent.name for file in self.run.annotations.glob("night=*/part-*.parquet")}
        return sorted(int(name.removeprefix("night=")) for name in folders)
