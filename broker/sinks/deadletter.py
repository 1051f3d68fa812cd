"""The dead-letter table: what could not be annotated, with its raw bytes, origin, stage and reason, as Parquet."""

import pyarrow.parquet as pq

from broker._atomic import replacing
from broker.run_directory import RunDirectory
from broker.sinks.sink import MicroBatch, Sink


def write(batch: MicroBatch, to: RunDirectory) -> None:
    """Write the micro-batch's rejects, if it has any."""
    if batch.letters.num_rows:
        with replacing(to.deadletter / f"{batch.stem}.parquet") as path:
            pq.write_table(batch.letters, path, compression="zstd")


SINK = Sink("deadletter", write)
