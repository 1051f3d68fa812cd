"""What a second bundle said of the annotated alerts, as Parquet: a folder a night, a file a micro-batch and night."""

import logging

import pyarrow.compute as pc

from broker._atomic import replacing
from broker.run_directory import RunDirectory
from broker.sinks.sink import MicroBatch, Sink
from broker.tables._file import by_night, write_file

LOG = logging.getLogger(__name__)


def write(batch: MicroBatch, to: RunDirectory) -> None:
    """Write what is known of the micro-batch's alerts, if there is a shadow, and say so where it failed."""
    for night, rows in by_night(batch.shadow):
        with replacing(to.shadow / f"night={night}" / f"{batch.stem}.parquet") as path:
            write_file(rows, path)
    failures = pc.drop_null(batch.shadow["failure"])
    if len(failures):
        LOG.warning(
            "the shadow failed on %d of %d alerts, which were annotated as ever: %s",
            len(failures), batch.shadow.num_rows, failures[0].as_py(),
        )  # fmt: skip


SINK = Sink("shadow", write)
