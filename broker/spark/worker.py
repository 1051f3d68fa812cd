"""What a Spark worker does with its files; loads its models once."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from broker.filters.definition import Filter
from broker.pipeline import Outcome, process
from broker.sources.files import read_files
from classifiers.bundle import Bundle
from schemas.registry import BundledRegistry, Registry

OUTCOME = pa.schema(
    [("annotations", pa.binary()), ("rejects", pa.binary()), ("received", pa.int64()), ("filter_errors", pa.utf8())]
)
"""How an `Outcome` crosses Spark: a row a batch, its tables as Arrow streams, so that types, nulls and bytes are those
of a call without Spark."""


@dataclass(frozen=True)
class FileWorker:
    """The function that Spark maps over batches of file names.

    Parameters
    ----------
    directory : what the names are relative to.
    bundle : directory of the model bundle.
    filters : the subscribers' filters.
    """

    directory: Path
    bundle: Path
    filters: tuple[Filter, ...]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """From batches with the column ``name`` to batches of `OUTCOME`."""
        names = (os.fsdecode(name) for batch in batches for name in batch["name"].to_pylist())
        for packets, unread in read_files(self.directory, names):
            outcome = process(packets, registry(), load_bundle(self.bundle), self.filters)
            yield pack(outcome.with_rejects(unread))


@cache
def registry() -> Registry:
    """The worker's registry of writer schemas."""
    return BundledRegistry()


@cache
def load_bundle(path: Path) -> Bundle:
    """The worker's model bundle."""
    return Bundle.load(path)


def pack(outcome: Outcome) -> pa.RecordBatch:
    """An outcome as one row of `OUTCOME`."""
    row = {
        "annotations": _to_stream(outcome.annotations),
        "rejects": _to_stream(outcome.rejects),
        "received": outcome.received,
        "filter_errors": json.dumps(outcome.filter_errors),
    }
    return pa.RecordBatch.from_pylist([row], schema=OUTCOME)


def unpack(rows: pa.Table) -> Outcome | None:
    """The outcomes of a micro-batch joined; None where there is none."""
    outcomes = [_outcome(row) for row in rows.to_pylist()]
    return join(outcomes) if outcomes else None


def _outcome(row: dict[str, Any]) -> Outcome:
    tables = _from_stream(row["annotations"]), _from_stream(row["rejects"])
    return Outcome(*tables, row["received"], Counter(json.loads(row["filter_errors"])))


def join(outcomes: Sequence[Outcome]) -> Outcome:
    """Outcomes one after the other."""
    return Outcome(
        pa.concat_tables([outcome.annotations for outcome in outcomes]),
        pa.concat_tables([outcome.rejects for outcome in outcomes]),
        sum(outcome.received for outcome in outcomes),
        sum((outcome.filter_errors for outcome in outcomes), Counter()),
    )


def _to_stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _from_stream(data: bytes) -> pa.Table:
    return pa.ipc.open_stream(data).read_all()
