"""What a source gives the workers: packets, what could not even be read, and where each came from."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from broker.sources.enough import enough
from broker.sources.files import read_files
from broker.sources.kafka import MESSAGES, messages_of, packets_of
from schemas.packets import REJECTS


@dataclass(frozen=True)
class Intake:
    """Packets that are processed in one call.

    Parameters
    ----------
    packets : columns of `schemas.packets.PACKETS`.
    unread : columns of `schemas.packets.REJECTS`.
    messages : columns of `broker.sources.kafka.MESSAGES`; no rows for files.
    stored : alerts of an annotation table that are scored again, in place of packets; see `broker.stored_alerts`.
    input : label of the archive that all of it is from; empty for other sources.
    portions : how many portions of the archive are done with it.
    """

    packets: pa.Table
    unread: pa.Table = field(default_factory=REJECTS.empty_table)
    messages: pa.Table = field(default_factory=MESSAGES.empty_table)
    stored: pa.Table | None = None
    input: str = ""
    portions: int = 0


class Reader(Protocol):
    """From what Spark hands to a worker to packets; it is pickled."""

    def __call__(self, batches: Iterable[pa.RecordBatch], /) -> Iterator[Intake]:
        """Read, a chunk at a time."""
        ...


@dataclass(frozen=True)
class FileReader:
    """Opens the files of a directory whose names it is given, as ``name`` (bytes, as the file system has them)."""

    directory: Path

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Intake]:
        """A few packets at a time."""
        names = (os.fsdecode(name) for batch in batches for name in batch["name"].to_pylist())
        for packets, unread in read_files(self.directory, names):
            yield Intake(packets, unread)


@dataclass(frozen=True)
class KafkaReader:
    """Takes Kafka records as Spark's connector gives them."""

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Intake]:
        """As many of Spark's batches at a time as make up enough for a call."""
        return map(_intake, _gathered(batches))


def _intake(records: pa.Table) -> Intake:
    return Intake(packets_of(records), messages=messages_of(records))


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield batches as chunks of a table, without copying; what was yielded is let go before more is asked for."""
    held: list[pa.RecordBatch] = []
    messages = size = 0
    for batch in batches:
        if batch.num_rows:
            held.append(batch)
            messages += batch.num_rows
            size += batch["value"].nbytes
        if enough(messages, size):
            yield pa.Table.from_batches(held)
            held, messages, size = [], 0, 0
    if held:
        yield pa.Table.from_batches(held)
