"""Deliveries as Avro object containers: a folder a filter, a file a micro-batch, an alert a record."""

import hashlib

from fastavro import parse_schema, writer

from broker._atomic import replacing
from broker.run_directory import RunDirectory
from broker.sinks.sink import MicroBatch, Sink
from schemas.delivery import delivery_avro_schema, delivery_records


def write(batch: MicroBatch, to: RunDirectory) -> None:
    """Write a file for each filter that asked for Avro and has an alert in this micro-batch."""
    for wanted in (f for f in batch.filters if "avro" in f.formats):
        records = delivery_records(batch.delivered(wanted.name), wanted.stamp, wanted.columns)
        if records:
            schema = parse_schema(delivery_avro_schema(batch.annotations.schema, wanted.columns))
            with replacing(to.subscribers / wanted.name / f"{batch.stem}.avro") as path, path.open("wb") as file:
                # Not a random marker between blocks: the same batch written again is the same file.
                marker = hashlib.sha256(batch.stem.encode()).digest()[:16]
                writer(file, schema, records, codec="deflate", sync_marker=marker)


SINK = Sink("avro", write, per_subscriber=True)
