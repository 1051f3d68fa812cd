"""Fewer and larger files in a Delta table: a micro-batch leaves one a night, a reader opens every one of them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from broker.errors import TableError
from broker.object_store import is_address, plain
from broker.tables.delta import writer_properties

KEEP_HOURS = 168
"""How long files that are no longer part of the table are kept: a week."""

FILE_BYTES = 128 * 2**20
"""What files are merged up to: some 100,000 alerts; one is rewritten no more once it is nearly that large."""


@dataclass(frozen=True)
class Files:
    """How many files a night has in the table, and their bytes."""

    count: int
    size: int


@dataclass(frozen=True)
class CompactedNight:
    """A night of which files were merged."""

    night: int
    before: Files
    after: Files


def compact(
    location: str | Path,
    *,
    keep_hours: int = KEEP_HOURS,
    storage_options: Mapping[str, str] = MappingProxyType({}),
    on_night: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[CompactedNight, ...]:
    """Merge the small files of each night, then delete the files that the table no longer needs.

    A stream may write at the same time: its commits add files, which no merge takes away, so neither waits for the
    other.

    Parameters
    ----------
    location : of a Delta table.
    keep_hours : the age from which files are deleted. Shorter than a reader's work or a micro-batch takes, it would
        delete files in use.
    storage_options : as for `broker.tables.delta.DeltaAnnotations`.
    on_night : called after each night with the number of nights done and their total.

    Returns
    -------
    tuple of CompactedNight
        Those of which files were merged, ascending. How many files were deleted isn't told: the table names those
        that it no longer needs for some time, whether they are still there or not.

    Raises
    ------
    TableError
        If there is no such table, or it can't be compacted, as when two do it at once.
    """
    try:
        table = DeltaTable(str(location), storage_options=dict(storage_options))
        nights = _merge(table, on_night)
        if not is_address(location):
            os.sync()  # delta-rs leaves that to the system; merged files must be on the disk before others go
        table.vacuum(keep_hours, dry_run=False, enforce_retention_duration=False, full=True)
    except CommitFailedError as error:
        raise TableError(
            f"another process changed the table at {location} meanwhile; compact it again: {plain(error)}"
        ) from error
    except Exception as error:  # delta-rs raises errors of its own, of the system, and plain ones
        raise TableError(f"the table at {location} can't be compacted: {plain(error)}") from error
    return nights


def _merge(table: DeltaTable, on_night: Callable[[int, int], None]) -> tuple[CompactedNight, ...]:
    """Merge night by night, each in a commit of its own: what is done stays done if a later one fails."""
    properties = writer_properties(pa.schema(table.schema().to_arrow()))
    before = _files(table)
    several = [night for night, files in before.items() if files.count > 1]
    made = []
    for done, night in enumerate(several, start=1):
        merged = table.optimize.compact(
            partition_filters=[("night", "=", night)],
            target_size=FILE_BYTES,
            max_concurrent_tasks=1,  # a stream may need the other cores, and each task holds a file's rows
            writer_properties=properties,
        )
        if merged["numFilesRemoved"]:
            made.append(CompactedNight(night, before[night], _files(table)[night]))
        on_night(done, len(several))
    return tuple(made)


def _files(table: DeltaTable) -> dict[int, Files]:
    """The files of each night, nights ascending."""
    actions = pa.table(table.get_add_actions(flatten=True)).select(["partition.night", "size_bytes"])
    groups = actions.group_by("partition.night").aggregate([("size_bytes", "count"), ("size_bytes", "sum")])
    by_night = groups.take(pc.sort_indices(groups["partition.night"])).to_pylist()
    return {row["partition.night"]: Files(row["size_bytes_count"], row["size_bytes_sum"]) for row in by_night}
