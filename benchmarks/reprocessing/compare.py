"""Whether two runs left the same rows: each row as bytes, sorted."""

import hashlib
from collections import Counter

import pyarrow as pa
import pyarrow.dataset as ds

from broker.run_directory import RunDirectory
from broker.tables.parquet import PARTITIONS

FOLDERS = ("annotations", "deadletter")


def differing_rows(one: RunDirectory, other: RunDirectory) -> int:
    """Rows of the annotation table and the dead letters that only one of the runs has, all columns compared."""
    return sum(_differing(_rows(one, name), _rows(other, name)) for name in FOLDERS)


def _differing(one: Counter[bytes], other: Counter[bytes]) -> int:
    return ((one - other) + (other - one)).total()


def _rows(run: RunDirectory, folder: str) -> Counter[bytes]:
    """The hash of each row's bytes, and how often it is there. The id of a dead letter names its run's stream."""
    found = ds.dataset(run.path / folder, format="parquet", partitioning=PARTITIONS)
    columns = [name for name in found.schema.names if not (folder == "deadletter" and name == "id")]
    return Counter(
        hashlib.sha256(_bytes(batch.slice(row, 1))).digest()
        for batch in found.to_batches(columns=columns, batch_size=256)
        for row in range(batch.num_rows)
    )


def _bytes(row: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    whole = pa.Table.from_batches([row]).take(pa.array([0])).combine_chunks()  # just the row's own bytes
    with pa.ipc.new_stream(sink, whole.schema) as stream:
        stream.write_table(whole)
    return bytes(sink.getvalue())
