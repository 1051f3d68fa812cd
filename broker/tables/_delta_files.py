"""The files of a Delta table: how a micro-batch's are written before they are committed, and which ones are there."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pa_fs
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction

from broker.object_store import files_at, is_address
from broker.tables._file import by_night, write_file

UPLOAD = {"max_retries": "1", "retry_timeout": "10s"}
"""Options for an upload: it holds Python's lock, so that signals and health checks wait for it."""


def add_files(table: DeltaTable, annotations: pa.Table, options: dict[str, str]) -> list[AddAction]:
    """Write the rows of each night to a file; give what a commit says of them.

    delta-rs would write them, too, but takes three times as long over hundreds of columns. Where an object store goes
    away meanwhile, it is waited for as the table's options say, and the files are written once more; those of the first
    time, if there are any, are none of the table.
    """
    if not is_address(table.table_uri):
        return _add(DeltaStorageHandler(table.table_uri), annotations)
    storage = DeltaStorageHandler(table.table_uri, {**options, **UPLOAD})
    try:
        return _add(storage, annotations)
    except OSError:
        table.update_incremental()  # waits, and doesn't hold the lock
        return _add(storage, annotations)


def parquet_files(location: str, options: dict[str, str]) -> Iterator[str]:
    """The Parquet files below a place that is no table; to vacuum one there would delete them."""
    if not is_address(location):
        yield from map(str, Path(location).rglob("*.parquet"))
        return
    below = pa_fs.FileSelector("", allow_not_found=True, recursive=True)
    found = files_at(location, {**options, **UPLOAD}).get_file_info(below)
    yield from (each.path for each in found if each.extension == "parquet")


def _add(storage: DeltaStorageHandler, annotations: pa.Table) -> list[AddAction]:
    return [_write(storage, rows, night) for night, rows in by_night(annotations)]


def _write(storage: DeltaStorageHandler, rows: pa.Table, night: int) -> AddAction:
    """Write the rows of a night to a file of their own; give what the log says of it."""
    path = f"night={night}/part-{uuid4()}.zstd.parquet"
    with storage.open_output_stream(path) as file:
        write_file(rows, file)
        size = file.tell()
    return AddAction(path, size, {"night": str(night)}, int(time.time() * 1000), True, _statistics(rows))


def _statistics(rows: pa.Table) -> str:
    """What the log says of a file's rows; see `broker.tables.delta.PROPERTIES`."""
    limits = pc.min_max(rows["mjdTai"]).as_py()
    values = {"minValues": {"mjdTai": limits["min"]}, "maxValues": {"mjdTai": limits["max"]}}
    return json.dumps({"numRecords": rows.num_rows, **values, "nullCount": {"mjdTai": 0}}, allow_nan=False)
