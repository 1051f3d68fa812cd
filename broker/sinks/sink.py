"""What is a sink? The contract of the modules in `broker.sinks`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from broker.filters.definition import Filter
from broker.outgoing.alike import Alike, alike
from broker.run_directory import RunDirectory
from broker.shadow.rows import COMPARED
from schemas.annotation import DELIVERED_TO


@dataclass(frozen=True)
class MicroBatch:
    """What one micro-batch has to write, duplicates removed and limits applied.

    Parameters
    ----------
    stem : the name of its parts; the same batch run again has the same name.
    annotations : annotation columns with `deliveredTo`.
    letters : columns of `broker.deadletter.DEADLETTER`.
    filters : the subscribers' filters.
    shadow : columns of `broker.shadow.rows.COMPARED`.
    """

    stem: str
    annotations: pa.Table
    letters: pa.Table
    filters: Sequence[Filter]
    shadow: pa.Table = field(default_factory=COMPARED.empty_table)

    @cached_property
    def deliveries(self) -> tuple[Alike, ...]:
        """What goes out for each filter, those together that ask for the same columns."""
        return tuple(alike(self.annotations, DELIVERED_TO.name, self.filters))

    def asking_for(self, form: str) -> frozenset[str]:
        """The names of the filters that want their deliveries in this form."""
        return frozenset(wanted.name for wanted in self.filters if form in wanted.formats)


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
