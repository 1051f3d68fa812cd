"""Packets of any survey and schema version become one AlertBatch, and rejects."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas._framing import Alert, Refused, alert_origins, unwrap
from schemas._portions import Portion, portions
from schemas._record_values import values_of_records
from schemas._tabulate import BAD_VALUES, tabulate
from schemas.alerts import SCHEMA, AlertBatch
from schemas.packets import PACKETS, rejects
from schemas.registry import Registry

Place = tuple[int, int]

_RECORDS_AT_ONCE = 32
"""Decoded records are large: a few MB each with a thousand sources. So they become columns this many at a time."""


@dataclass(frozen=True)
class Decoded:
    """What a batch of packets holds.

    Parameters
    ----------
    alerts : one row an alert, in the order of the packets and of the records in them.
    origins : utf8 array, shape (n_alerts,)
        Where each alert came from.
    rejects : a table of `schemas.packets.REJECTS`
        What can't be decoded, in the same order.
    rows : int64 array, shape (n_alerts,)
        The packet that each alert was in.
    """

    alerts: AlertBatch
    origins: pa.Array
    rejects: pa.Table
    rows: NDArray[np.int64]


@dataclass
class _Assembly:
    """Alerts on their way to columns: waiting by survey, done with their places in the batch, refused.

    A place is the number of the packet, and that of the alert in it.
    """

    waiting: dict[str, list[tuple[Place, Alert]]] = field(default_factory=dict)
    done: list[pa.Table] = field(default_factory=lambda: [SCHEMA.empty_table()])
    places: list[Place] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    refused: dict[Place, Refused] = field(default_factory=dict)

    def add_portion(self, portion: Portion, packets: Sequence[str]) -> set[int]:
        """Add the packets of a portion that are alerts through and through; which these are."""
        try:
            table, problems = _tabulate_portion(portion)
        except BAD_VALUES:
            return set()
        found = np.flatnonzero([bool(problem) for problem in problems])
        good = np.flatnonzero(~np.isin(portion.rows, np.concatenate([portion.refused, portion.rows[found]])))
        rows, counts = np.unique(portion.rows[good], return_counts=True)
        self.done.append(table if len(good) == len(table) else table.take(good))
        for row, count in zip(rows.tolist(), counts.tolist(), strict=True):
            self.places += [(row, number) for number in range(count)]
            self.origins += alert_origins(packets[row], count)
        return set(rows.tolist())

    def add(self, place: Place, entry: Alert | Refused) -> None:
        """Add an alert or a refusal that fastavro's reading gave."""
        if isinstance(entry, Refused):
            self.refused[place] = entry
            return
        queue = self.waiting.setdefault(entry.survey.name, [])
        queue.append((place, entry))
        if len(queue) == _RECORDS_AT_ONCE:
            self.convert(queue)

    def convert(self, queue: list[tuple[Place, Alert]]) -> None:
        """Turn waiting alerts of one survey into columns; where that fails, one by one, to find the one at fault."""
        try:
            table, problems = _tabulate([alert for _, alert in queue])
        except BAD_VALUES as error:
            if len(queue) > 1:
                for one in queue:
                    self.convert([one])
            else:
                self.refuse(*queue[0], _describe(error))
        else:
            good = np.flatnonzero([not problem for problem in problems])
            self.done.append(table if len(good) == len(queue) else table.take(good))
            for (place, alert), problem in zip(queue, problems, strict=True):
                if problem:
                    self.refuse(place, alert, problem)
                else:
                    self.places.append(place)
                    self.origins.append(alert.origin)
        queue.clear()

    def refuse(self, place: Place, alert: Alert, problem: str) -> None:
        what = f"{alert.survey.name} {alert.schema_version} alert"
        self.refused[place] = Refused(alert.origin, f"{what}: {problem}", alert.raw())

    def finish(self) -> Decoded:
        for queue in filter(None, self.waiting.values()):
            self.convert(queue)
        order = np.array(sorted(range(len(self.places)), key=self.places.__getitem__), dtype=np.int64)
        table = pa.concat_tables(self.done).take(order).combine_chunks()
        turned_away = [self.refused[place] for place in sorted(self.refused)]
        return Decoded(
            AlertBatch(table),
            pa.array(self.origins, pa.utf8()).take(order),
            rejects([(entry.origin, entry.stage, entry.reason, entry.payload) for entry in turned_away]),
            np.array([row for row, _ in self.places], dtype=np.int64)[order],
        )


def decode(packets: pa.Table, registry: Registry) -> Decoded:
    """Decode packets of any mix of surveys, schema versions and framings.

    What the machine doesn't read to the last byte (`schemas._machine`), fastavro reads, and says what is wrong with it.
    Nothing that one packet holds keeps another from being decoded: what can't be read becomes a reject that says what
    was given and what was expected. What is decoded from a packet doesn't depend on the rest of the batch.

    Parameters
    ----------
    packets : a table of `schemas.packets.PACKETS`, in any number of chunks
    registry : where the schemas of Confluent messages are looked up by id.

    Returns
    -------
    Decoded

    Raises
    ------
    ValueError
        If `packets` isn't such a table.
    """
    if not packets.schema.equals(PACKETS):
        raise ValueError(f"expected packets with the columns\n{PACKETS}\ngot\n{packets.schema}")
    assembly, origins, payloads = _Assembly(), packets["origin"].to_pylist(), packets["payload"]
    read: set[int] = set()
    for portion in portions(payloads, registry):
        read |= assembly.add_portion(portion, origins)
    for row in (row for row in range(len(origins)) if row not in read):
        for number, entry in enumerate(unwrap(origins[row], payloads[row].as_py(), registry)):
            assembly.add((row, number), entry)
    return assembly.finish()


def _tabulate_portion(portion: Portion) -> tuple[pa.Table, list[str]]:
    """As `_tabulate`."""
    schema_ids = pa.repeat(pa.scalar(portion.schema_id, pa.int32()), len(portion.rows))
    return tabulate(portion.survey, portion.alerts, portion.items, schema_ids, portion.versions)


def _tabulate(alerts: Sequence[Alert]) -> tuple[pa.Table, list[str]]:
    """Decoded alerts of one survey as columns, and what is wrong with each row, empty where nothing is."""
    survey = alerts[0].survey
    schema_ids = pa.array([alert.schema_id for alert in alerts], pa.int32())
    versions = pa.array([alert.schema_version for alert in alerts], pa.utf8())
    read, items = values_of_records(survey, [alert.record for alert in alerts])
    return tabulate(survey, read, items, schema_ids, versions)


def _describe(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"missing field: the record has no {error}"
    return f"a value isn't of the expected kind: {type(error).__name__}: {error}"
