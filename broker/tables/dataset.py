"""The annotation table that a run left behind, of either kind, as an Arrow dataset."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from broker.config import Config, load_config
from broker.errors import TableError, WrongInputError
from broker.object_store import is_address, plain
from broker.run_directory import RunDirectory
from broker.tables.parquet import PARTITIONS
from schemas.annotation import IDENTITY

NIGHT = next(field for field in IDENTITY if field.name == "night")
"""The column that stands in the paths of Parquet files."""


@dataclass(frozen=True)
class Annotations:
    """An annotation table as it is now; what is written to it later isn't seen.

    Parameters
    ----------
    name : as the caller named it.
    dataset : its rows, with all columns that any of its files has.
    run : the run that wrote it, where it lies in a run's directory.
    """

    name: str
    dataset: ds.Dataset
    run: RunDirectory | None

    def fragments_by_night(self) -> dict[int, list[ds.Fragment]]:
        """The table's files by night, nights ascending; the files of a night in the order of their names."""
        found: dict[int, list[ds.Fragment]] = {}
        for fragment in sorted(self.dataset.get_fragments(), key=lambda each: str(each.path)):
            night = ds.get_partition_keys(fragment.partition_expression)["night"]
            found.setdefault(int(night), []).append(fragment)
        return dict(sorted(found.items()))

    def read(self, fragment: ds.Fragment, columns: list[str]) -> pa.Table:
        """These columns of one file; null where the file hasn't got one that other files have.

        Raises
        ------
        TableError
            If the file can't be read.
        """
        with self.reading(fragment):
            return ds.Scanner.from_fragment(fragment, schema=self.dataset.schema, columns=columns).to_table()

    def batches(
        self, fragment: ds.Fragment, rows_at_once: int, columns: list[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """These columns of one file, or all, a piece at a time.

        Raises
        ------
        TableError
            If the file can't be read.
        """
        with self.reading(fragment):
            # Of its own, since a dataset keeps what it knows of its files: a MB each, with hundreds of columns.
            opened = self.dataset.format.make_fragment(
                fragment.path, self.dataset.filesystem, fragment.partition_expression
            )
            scanner = ds.Scanner.from_fragment(
                opened,
                schema=self.dataset.schema,
                columns=columns,
                batch_size=rows_at_once,
                batch_readahead=1,
                fragment_readahead=1,
            )
            yield from (batch for batch in scanner.to_batches() if batch.num_rows)

    @contextmanager
    def reading(self, fragment: ds.Fragment) -> Iterator[None]:
        """Tell what goes wrong with a file within the block as a TableError."""
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise TableError(f"{fragment.path} of the annotation table {self.name} can't be read: {error}") from error


def annotations_at(where: str | Path) -> Annotations:
    """Open the annotation table of a run.

    Parameters
    ----------
    where : the run's results, its configuration file, or the table itself: a directory, or the address of a Delta
        table in an object store.

    Raises
    ------
    WrongInputError
        If there is no annotation table.
    TableError
        If it can't be read.
    """
    name, path = str(where), Path(where)
    if is_address(name):
        return Annotations(name, _delta(name, {}), None)
    config = load_config(path) if path.is_file() else None
    run = RunDirectory(config.to if config else path)
    if config and config.table.kind == "delta":
        return Annotations(name, _delta_of(config, run), run)
    for folder, owner in ((run.annotations, run), (path, None)):
        if (folder / "_delta_log").is_dir():
            return Annotations(name, _delta(str(folder), {}), owner)
        files = sorted(map(str, folder.glob("night=*/[!.]*.parquet")))
        if files:
            return Annotations(name, _parquet(folder, files), owner)
    raise WrongInputError(
        f"there is no annotation table at {where}; give the results of a run, its configuration, or the table itself"
    )


def _parquet(folder: Path, files: list[str]) -> ds.Dataset:
    try:
        # Columns of all files: a model that a later start was given may have brought some.
        schema = pa.unify_schemas([*map(pq.read_schema, files)])
        schema = schema.insert(schema.get_field_index("mjdTai") + 1, NIGHT)
        return ds.dataset(
            files, schema=schema, format="parquet", partitioning=PARTITIONS, partition_base_dir=str(folder)
        )
    except (OSError, pa.ArrowException) as error:
        raise TableError(f"the annotation table {folder} can't be read: {error}") from error


def _delta_of(config: Config, run: RunDirectory) -> ds.Dataset:
    return _delta(config.table.path or str(run.annotations), config.table.options)


def _delta(location: str, options: dict[str, str]) -> ds.Dataset:
    from deltalake import DeltaTable  # takes a while to load
    from deltalake.exceptions import TableNotFoundError

    try:
        return DeltaTable(location, storage_options=options).to_pyarrow_dataset()
    except TableNotFoundError:
        raise WrongInputError(f"there is no Delta table at {location}; give the results of a run") from None
    except Exception as error:  # delta-rs raises errors of its own, of the system, of Arrow, and plain ones
        raise TableError(f"the annotation table at {location} can't be read: {plain(error)}") from error
