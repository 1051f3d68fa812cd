"""What is a sink? The contract of the modules in `broker.sinks`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from broker.filters.definition import Filter
from broker.run_directory import RunDirectory


@dataclass(frozen=True)
class MicroBatch:
    """What one micro-batch has to write, duplicates removed and limits applied.

    Parameters
    ----------
    stem : the name of its parts; the same batch run again has the same name.
    annotations : annotation columns with `deliveredTo`.
    letters : columns of `broker.deadletter.DEADLETTER`.
    filters : the subscribers' filters.
    """

    stem: str
    annotations: pa.Table
    letters: pa.Table
    filters: Sequence[Filter]

    def delivered(self, name: str) -> pa.Table:
        """The annotations that go out for the filter of this name."""
        column = self.annotations["deliveredTo"].combine_chunks()
        rows = column.value_parent_indices().filter(pa.compute.equal(column.flatten(), name))
        return self.annotations.take(rows)


@dataclass(frozen=True)
class Sink:
    """A module's constant `SINK`.

    Parameters
    ----------
    name : what it writes.
    write : called once per micro-batch on the driver, before the ledger takes the batch in. Called again with the same
        batch after a crash, it must leave what one call leaves.
    per_subscriber : writes deliveries, which a run may leave to Kafka.
    """

    name: str
    write: Callable[[MicroBatch, RunDirectory], None]
    per_subscriber: bool = False
