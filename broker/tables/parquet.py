"""The annotation table: Parquet, one folder a night, one file a micro-batch and night."""

import pyarrow.compute as pc
import pyarrow.parquet as pq

from broker._atomic import replacing
from broker.run_directory import RunDirectory
from broker.sinks.sink import MicroBatch, Sink


def write(batch: MicroBatch, to: RunDirectory) -> None:
    """Write the micro-batch's annotations, split by night."""
    for night in sorted(pc.unique(batch.annotations["night"]).to_pylist()):
        rows = batch.annotations.filter(pc.equal(batch.annotations["night"], night))
        with replacing(to.annotations / f"night={night}" / f"{batch.stem}.parquet") as path:
            pq.write_table(rows.drop_columns("night"), path, compression="zstd")


SINK = Sink("table", write)
