"""Decoding by machine and by fastavro, on the same packets: how long each takes, and whether both give the same."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import fastavro
import numpy as np

from benchmarks.timing import in_turns
from schemas._byte_values import Stretch, values_of_bytes
from schemas._program import program_for
from schemas._record_values import values_of_records
from schemas.decode import decode
from schemas.packets import packets
from schemas.registry import BundledRegistry
from schemas.survey import Values
from schemas.surveys import discover
from schemas.wire_ids import HEADER_SIZE, WIRE_MAGIC

REGISTRY = BundledRegistry()
PACKETS_AT_ONCE = 100

Pairs = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Comparison:
    """What both ways took.

    Parameters
    ----------
    what : which part of the way.
    fast, slow : seconds a packet, by machine and by fastavro.
    same : whether they gave the same.
    """

    what: str
    fast: float
    slow: float
    same: bool


def lsst_packets(directory: Path) -> dict[int, Pairs]:
    """The LSST packets below a directory, by schema id: at least `PACKETS_AT_ONCE` each, repeated to be so many."""
    groups: defaultdict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for path in sorted(directory.rglob("*.avro")):
        payload = path.read_bytes()
        if payload.startswith(WIRE_MAGIC):
            groups[int.from_bytes(payload[1:HEADER_SIZE], "big")].append((str(path), payload))
    return {schema_id: pairs * -(-PACKETS_AT_ONCE // len(pairs)) for schema_id, pairs in groups.items()}


def fields(schema_id: int, pairs: Pairs, rounds: int) -> Comparison:
    """From bytes to the fields that are wanted, against fastavro from bytes to records."""
    writer, survey = REGISTRY.by_id(schema_id), discover()["lsst"]
    program = program_for(writer.parsed, survey)
    if program is None:
        raise RuntimeError(f"{writer.name} can't be compiled")
    ends = np.cumsum([len(payload) for _, payload in pairs])
    starts = np.concatenate([[0], ends[:-1]]) + HEADER_SIZE
    places = np.stack([starts, ends, np.ones_like(ends)], axis=1)
    data = np.frombuffer(b"".join(payload for _, payload in pairs), np.uint8)
    fast, slow = in_turns(
        rounds,
        lambda: values_of_bytes(survey, program, [Stretch(data, places)]),
        lambda: [_record(payload, writer.parsed) for _, payload in pairs],
    )
    read, records = fast.given, slow.given
    same = bool(read.good.all()) and _plain(read.alerts, read.items) == _plain(*values_of_records(survey, records))
    return Comparison("fields", fast.seconds / len(pairs), slow.seconds / len(pairs), same)


def whole(pairs: Pairs, rounds: int) -> Comparison:
    """From packets to an AlertBatch, against the same with fastavro alone."""
    given = packets([(f"{number} {name}", payload) for number, (name, payload) in enumerate(pairs)])

    def alone() -> Any:
        with patch("schemas.decode.portions", return_value=()):
            return decode(given, REGISTRY)

    fast, slow = in_turns(rounds, lambda: decode(given, REGISTRY), alone)
    by_machine, by_fastavro = fast.given, slow.given
    agree = [
        by_machine.alerts.table.equals(by_fastavro.alerts.table),
        by_machine.origins.equals(by_fastavro.origins),
        by_machine.rejects.equals(by_fastavro.rejects),
    ]
    return Comparison("decode", fast.seconds / len(pairs), slow.seconds / len(pairs), all(agree))


def _record(payload: bytes, schema: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = fastavro.schemaless_reader(BytesIO(payload[HEADER_SIZE:]), schema)
    return record


def _plain(alerts: Values, items: Mapping[str, Values]) -> list[Any]:
    """Values to compare; NaN equals NaN as text."""
    tables = [alerts, *items.values()]
    return [(t.owner.tolist(), {name: repr(array.to_pylist()) for name, array in t.arrays.items()}) for t in tables]
