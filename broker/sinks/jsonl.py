"""Deliveries as JSON Lines: a folder a filter, a file a micro-batch, an alert a line."""

import json

from broker._atomic import write_text
from broker.run_directory import RunDirectory
from broker.sinks.sink import MicroBatch, Sink
from schemas.delivery import delivery_records


def write(batch: MicroBatch, to: RunDirectory) -> None:
    """Write a file for each filter that asked for JSON Lines and has an alert in this micro-batch."""
    for wanted in (f for f in batch.filters if "jsonl" in f.formats):
        records = delivery_records(batch.delivered(wanted.name), wanted.stamp, wanted.columns)
        if records:
            lines = (json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in records)
            write_text(to.subscribers / wanted.name / f"{batch.stem}.jsonl", "".join(lines))


SINK = Sink("jsonl", write, per_subscriber=True)
