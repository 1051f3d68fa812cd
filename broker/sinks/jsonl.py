"""Deliveries as JSON Lines: a folder a filter, a file a micro-batch, an alert a line."""

from broker._atomic import replacing
from broker.outgoing.deliveries import json_body, json_end
from broker.run_directory import RunDirectory
from broker.sinks.sink import MicroBatch, Sink
from schemas.delivery import annotation_records


def write(batch: MicroBatch, to: RunDirectory) -> None:
    """Write a file for each filter that asked for JSON Lines and has an alert in this micro-batch."""
    for group in batch.deliveries:
        for wanted, _, bodies in group.encoded(annotation_records, json_body, batch.asking_for("jsonl")):
            end = json_end(wanted) + b"\n"
            with replacing(to.subscribers / wanted.name / f"{batch.stem}.jsonl") as path:
                path.write_bytes(b"".join(body + end for body in bodies))


SINK = Sink("jsonl", write, per_subscriber=True)
