"""Deliveries as Avro object containers: a folder a filter, a file a micro-batch, an alert a record."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO

from fastavro.write import Writer

from broker._atomic import replacing
from broker.outgoing.deliveries import avro_parts
from broker.run_directory import RunDirectory
from broker.sinks.sink import MicroBatch, Sink
from schemas.delivery import avro_records, delivery_avro_schema

BLOCK_BYTES = 16_000
"""A block ends with the record that fills it up to here; it is compressed as a whole."""


@dataclass
class _Block:
    """Encoded records, in the words of fastavro's writer."""

    num_records: int
    bytes_: BytesIO


def write(batch: MicroBatch, to: RunDirectory) -> None:
    """Write a file for each filter that asked for Avro and has an alert in this micro-batch."""
    # Not a random marker between blocks: the same batch written again is the same file.
    marker = hashlib.sha256(batch.stem.encode()).digest()[:16]
    for group in batch.deliveries:
        schema = delivery_avro_schema(batch.annotations.schema, group.rows[0][0].columns)
        encode, sign = avro_parts(schema["fields"])
        for wanted, _, bodies in group.encoded(avro_records, encode, batch.asking_for("avro")):
            end = sign({"filter": wanted.stamp})
            with replacing(to.subscribers / wanted.name / f"{batch.stem}.avro") as path, path.open("wb") as file:
                container = Writer(file, schema, codec="deflate", sync_marker=marker)
                for block in _blocks(body + end for body in bodies):
                    container.write_block(block)
                container.flush()


def _blocks(records: Iterable[bytes]) -> Iterator[_Block]:
    block = _Block(0, BytesIO())
    for record in records:
        block.bytes_.write(record)
        block.num_records += 1
        if block.bytes_.tell() >= BLOCK_BYTES:
            yield block
            block = _Block(0, BytesIO())
    if block.num_records:
        yield block


SINK = Sink("avro", write, per_subscriber=True)
