"""The hand-over alone: Spark's Kafka source, with a run's own settings, to a function that only counts bytes.

A program of its own, `python -m benchmarks.speeding.counting CONFIG`: the run's configuration decides what is read and
how Spark is started. It writes a line of JSON a micro-batch to the results' ``batches.jsonl``, as a run does.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import typer

from broker.config import load_config
from broker.run_directory import RunDirectory
from broker.spark.connectors import connector_jars
from broker.spark.session import start_session, stop_session
from broker.spark.sources import stream_of

COUNTS = "messages long, bytes long"


def main(
    config: Annotated[Path, typer.Argument(help="Configuration of a run.")],
    java_only: Annotated[bool, typer.Option("--java-only", help="Count in Java; nothing goes to Python.")] = False,
) -> None:
    """Count the messages and bytes that are there now."""
    wanted = load_config(config)
    run, settings = RunDirectory(wanted.to), wanted.spark
    run.path.mkdir(parents=True)
    jars = connector_jars(wanted.source.kind)
    spark = start_session(settings.master, settings.driver_memory, settings.extra, jars)

    def take(rows: Any, _: int) -> None:
        counted = _in_java(rows) if java_only else rows.mapInArrow(count, COUNTS).toArrow()
        messages, size = (pc.sum(counted[name]).as_py() or 0 for name in ("messages", "bytes"))
        with run.journal.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps({"received": messages, "bytes": size}) + "\n")

    writer = stream_of(wanted).load(spark, {}).writeStream.foreachBatch(take)
    try:
        query = writer.option("checkpointLocation", str(run.checkpoint)).trigger(availableNow=True).start()
        query.awaitTermination()
    finally:
        stop_session(spark)


def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What a worker does with its messages: a row of counts each time."""
    for batch in batches:
        size = pc.sum(pc.binary_length(batch["value"])).as_py() or 0
        yield pa.RecordBatch.from_pydict(
            {"messages": pa.array([batch.num_rows]), "bytes": pa.array([size], pa.int64())}
        )


def _in_java(rows: Any) -> pa.Table:
    """A row a message, of two numbers."""
    return rows.selectExpr("1L AS messages", "CAST(length(value) AS LONG) AS bytes").toArrow()


if __name__ == "__main__":
    typer.run(main)
