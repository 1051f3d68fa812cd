"""What a Spark worker does with its packets; loads its models once."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pyarrow as pa

from broker._stopwatch import Stopwatch
from broker.filters.definition import Filter
from broker.harvest import INPUTS, Harvest, join, join_outcomes
from broker.outgoing.destinations import Destination
from broker.outgoing.messages import Sources, encode
from broker.pipeline import Measure, Outcome, process, rescore
from broker.shadow.model import ShadowModel
from broker.shadow.rows import SHADOW, with_seconds
from broker.shadow.score import compare
from broker.sources.intake import Intake, Reader
from broker.sources.kafka import published
from classifiers.bundle import Bundle
from schemas.registry import BundledRegistry, Registry
from schemas.registry_settings import RegistrySettings
from schemas.remote_registry import RemoteRegistry
from schemas.wire_ids import schema_ids

HARVEST = pa.schema(
    [
        ("annotations", pa.binary()),
        ("rejects", pa.binary()),
        ("messages", pa.binary()),
        ("records", pa.binary()),
        ("inputs", pa.binary()),
        ("shadow", pa.binary()),
        ("received", pa.int64()),
        ("filter_errors", pa.utf8()),
        ("seconds", pa.utf8()),
    ]
)
"""How a `Harvest` crosses Spark: a row an intake, its tables as Arrow streams, so that types, nulls and bytes are those
of a call without Spark."""


@dataclass(frozen=True)
class Worker:
    """The function that Spark maps over what a source gives.

    Parameters
    ----------
    read : the source's way to packets.
    bundle : directory of the model bundle.
    filters : the subscribers' filters.
    destinations : what messages are made for.
    registry : where schemas that aren't bundled are asked for; None for nowhere.
    shadow : a second bundle; None for none.
    explain : how many features each annotation says why by.
    """

    read: Reader
    bundle: Path
    filters: tuple[Filter, ...] = ()
    destinations: tuple[Destination, ...] = ()
    registry: RegistrySettings | None = None
    shadow: ShadowModel | None = None
    explain: int = 0

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """From batches that `read` understands to batches of `HARVEST`."""
        return map(pack, map(self.harvest, self.read(batches)))  # no name keeps an intake while the next is read

    def harvest(self, intake: Intake) -> Harvest:
        """Process an intake; the same call serves the stream, a replay of the dead-letter, and the tests."""
        now = int(time.time() * 1000)
        measure = Stopwatch()
        with measure("registry"):
            registry = _prepared(self.registry, intake)
        outcome = self._outcome(intake, registry, measure)
        with measure("encode"):
            records = encode(outcome.annotations, self.destinations, _sources(intake, now))
        shadow = _compared(outcome.annotations, self.shadow, measure)
        outcome = outcome.with_rejects(intake.unread)
        return Harvest(outcome, intake.messages, records, _inputs(intake, outcome), shadow, measure.seconds)

    def _outcome(self, intake: Intake, registry: Registry, measure: Measure) -> Outcome:
        bundle = load_bundle(self.bundle)
        if intake.stored is None:
            return process(intake.packets, registry, bundle, self.filters, measure, self.explain)
        scored = rescore(intake.stored, bundle, self.filters, measure, self.explain)
        if not intake.packets.num_rows:  # a call costs something whatever it is given
            return scored
        unstored = process(intake.packets, registry, bundle, self.filters, measure, self.explain)
        return join_outcomes([unstored, scored])


def _prepared(settings: RegistrySettings | None, intake: Intake) -> Registry:
    """A registry that knows, without asking further, what can be known of the packets' schemas."""
    registry = registry_of(settings)
    if isinstance(registry, RemoteRegistry):
        registry.learn(schema_ids(intake.packets["payload"]))
    return registry


def _inputs(intake: Intake, outcome: Outcome) -> pa.Table:
    if not intake.input:
        return INPUTS.empty_table()
    row = intake.input, intake.portions, outcome.annotations.num_rows, outcome.rejects.num_rows
    return pa.table([[value] for value in row], schema=INPUTS)


def _compared(annotations: pa.Table, model: ShadowModel | None, measure: Stopwatch) -> pa.Table:
    """What the shadow says of annotations, with the time that it took."""
    if model is None:
        return SHADOW.empty_table()
    with suppress(Exception):  # loading is no part of what alerts cost; why it fails, `compare` tells
        load_bundle(model.path)
    with measure("shadow"):
        found = compare(annotations, model, lambda: load_bundle(model.path))
    return with_seconds(found, measure.seconds["shadow"])


def _sources(intake: Intake, now: int) -> Sources:
    return Sources(_Bytes(intake.packets), published(intake.messages), now)


class _Bytes(Mapping[str, bytes]):
    """Payloads by origin, taken out of Arrow when they are asked for."""

    def __init__(self, packets: pa.Table) -> None:
        self._packets = packets

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {origin: row for row, origin in enumerate(self._packets["origin"].to_pylist())}

    def __getitem__(self, origin: str) -> bytes:
        found: bytes = self._packets["payload"][self._rows[origin]].as_py()
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


@cache
def registry_of(settings: RegistrySettings | None) -> Registry:
    """The worker's registry of writer schemas."""
    return RemoteRegistry(settings) if settings else BundledRegistry()


@cache
def load_bundle(path: Path) -> Bundle:
    """The worker's model bundle."""
    return Bundle.load(path)


def pack(harvest: Harvest) -> pa.RecordBatch:
    """A harvest as one row of `HARVEST`."""
    outcome = harvest.outcome
    tables = outcome.annotations, outcome.rejects, harvest.messages, harvest.records, harvest.inputs, harvest.shadow
    streams = [_to_stream(table) for table in tables]
    values = [*streams, outcome.received, json.dumps(outcome.filter_errors), json.dumps(dict(harvest.seconds))]
    columns = [pa.array([value], field.type) for value, field in zip(values, HARVEST, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=HARVEST)


def unpack(rows: pa.Table) -> Harvest | None:
    """The harvests of a micro-batch joined; None where there is none. They keep `rows` in memory, and copy nothing."""
    parts = [_harvest(*row) for row in zip(*rows.columns, strict=True)]
    return join(parts) if parts else None


def _harvest(*row: pa.Scalar) -> Harvest:
    annotations, rejects, messages, records, inputs, shadow = (_from_stream(scalar.as_buffer()) for scalar in row[:6])
    received, errors, seconds = (scalar.as_py() for scalar in row[6:])
    outcome = Outcome(annotations, rejects, received, Counter(json.loads(errors)))
    return Harvest(outcome, messages, records, inputs, shadow, json.loads(seconds))


def _to_stream(table: pa.Table) -> memoryview:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue())


def _from_stream(data: pa.Buffer) -> pa.Table:
    return pa.ipc.open_stream(data).read_all()
