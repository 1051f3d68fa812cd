"""What happens to a micro-batch once it is processed: duplicates out, limits applied, results written, books kept.

The order makes a crash harmless: parts are written first, under names that a repeat replaces; the ledger takes the
batch in last, and only what it has taken in counts (see `broker.run_directory`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from broker.duplicates import SeenAlerts
from broker.filters.definition import Filter
from broker.filters.limits import Limiter
from broker.ledger import Entry, Ledger
from broker.pipeline import Outcome
from broker.run_directory import RunDirectory, part_stem
from broker.sinks import discover
from broker.sinks.sink import MicroBatch
from schemas.annotation import DELIVERED_TO

HISTORY = ["survey", "alertId", "diaSourceId", "objectId", "mjdTai", "night", "deliveredTo"]
"""The columns of the annotation table that tell what was seen and sent before."""


@dataclass(frozen=True)
class Batch:
    """A committed micro-batch, as the one who watches sees it.

    Parameters
    ----------
    number : count from 0 over the life of the checkpoint.
    entry : its counts.
    seconds : how long it took.
    """

    number: int
    entry: Entry
    seconds: float


class Committer:
    """Takes micro-batches in, in their order, and keeps the books of a run's directory.

    Parameters
    ----------
    run : where to write; the caller holds its lock.
    filters : the subscribers' filters.
    """

    def __init__(self, run: RunDirectory, filters: Sequence[Filter]) -> None:
        self.run = run
        self.filters = tuple(filters)
        self.ledger = Ledger.read(run.ledger)
        self.stream = run.stream_id()
        run.discard_uncommitted(self.ledger.last_batch)
        for folder in (run.annotations, run.deadletter, *(run.subscribers / wanted.name for wanted in self.filters)):
            folder.mkdir(parents=True, exist_ok=True)
        self._seen = SeenAlerts()
        self._limiter = Limiter(self.filters)
        for batch in history(run):
            self._seen.add(batch)
            self._limiter.replay(batch)

    def commit(self, batch: int, outcome: Outcome) -> Entry | None:
        """Write a micro-batch and enter it into the ledger; None where the ledger has it already."""
        if self.ledger.has(self.stream, batch):
            return None
        ordered = in_order(outcome.annotations)
        fresh = ordered.filter(pa.array(self._seen.add(ordered)))
        delivered, cut = self._limiter.apply(fresh)
        annotations = fresh.append_column(DELIVERED_TO, delivered.cast(DELIVERED_TO.type))
        written = MicroBatch(part_stem(self.stream, batch), annotations, outcome.rejects, self.filters)
        for sink in discover():
            sink.write(written, self.run)
        entry = _entry(outcome, annotations, ordered.num_rows - fresh.num_rows, cut)
        self.ledger = self.ledger.commit(self.run.ledger, self.stream, batch, entry)
        return entry


def in_order(annotations: pa.Table) -> pa.Table:
    """Rows by time, then survey, id and origin: which of two copies counts doesn't depend on how the batch was cut."""
    keys = ("mjdTai", "survey", "alertId", "diaSourceId", "origin")
    return annotations.take(pc.sort_indices(annotations, sort_keys=[(key, "ascending") for key in keys]))


def history(run: RunDirectory) -> list[pa.Table]:
    """What the annotation table holds already, in the columns of `HISTORY`; nothing where it has no file."""
    partitions = ds.partitioning(pa.schema([("night", pa.int32())]), flavor="hive")
    found = ds.dataset(run.annotations, format="parquet", partitioning=partitions)
    return [found.to_table(columns=HISTORY)] if found.files else []


def _entry(outcome: Outcome, annotations: pa.Table, duplicates: int, cut: dict[str, Counter[str]]) -> Entry:
    return Entry(
        received=outcome.received,
        annotated=annotations.num_rows,
        duplicates=duplicates,
        dead_lettered=outcome.rejects.num_rows,
        deliveries=_count(annotations["deliveredTo"].combine_chunks().flatten()),
        cut=cut,
        filter_errors=outcome.filter_errors,
        nights=_count(annotations["night"].cast(pa.utf8())),
        surveys=_count(annotations["survey"]),
        schemas=_count(_schema_names(annotations)),
        not_classified=_count(annotations["notClassifiedReason"].drop_null()),
        reject_stages=_count(outcome.rejects["stage"]),
    )


def _schema_names(annotations: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(annotations["survey"], annotations["schemaVersion"], " ")


def _count(values: pa.Array | pa.ChunkedArray | NDArray[np.str_]) -> Counter[str]:
    return Counter({row["values"]: row["counts"] for row in pc.value_counts(values).to_pylist()})
