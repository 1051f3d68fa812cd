"""Whether the books balance: Kafka's offsets, the ledger, the annotation table and the dead-letter, compared."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from broker.books import journal
from broker.books.ledger import Entry, Ledger, Span
from broker.checkpoint import read_offsets
from broker.deadletter import waiting
from broker.duplicates import SeenAlerts
from broker.kafka.client import Client, partition_list
from broker.kafka.run_settings import KafkaSource
from broker.outgoing.outbox import Outbox
from broker.run_directory import RunDirectory
from broker.sources.kafka import partitions_of
from broker.tables.table import AnnotationTable

FILES = "(files)"
"""Stands for what came from no Kafka partition."""

COLUMNS = ["survey", "alertId", "diaSourceId", "mjdTai", "night", "origin"]


@dataclass(frozen=True)
class PartitionCheck:
    """What is known of a partition, and what doesn't fit.

    Parameters
    ----------
    name : ``topic/number``.
    read : the offsets that were read; None where none was.
    counts : of the ledger: messages, skipped, received, annotated, duplicates, deadLettered.
    kafka : the offsets that Kafka has; None where Kafka wasn't asked.
    in_table, in_deadletter : alerts that are there.
    found : messages that are still at offsets which the ledger passed over.
    """

    name: str
    read: Span | None
    counts: Counter[str]
    kafka: Span | None
    in_table: int
    in_deadletter: int
    found: int

    @property
    def waiting(self) -> int:
        """Offsets that aren't read yet."""
        if self.kafka is None:
            return 0
        return self.kafka.next - max(self.read.next if self.read else self.kafka.first, self.kafka.first)

    @property
    def differences(self) -> Mapping[str, int]:
        """What doesn't fit, by what it is; nothing where all does."""
        counts, offsets = self.counts, self.read.next - self.read.first if self.read else 0
        became = counts["annotated"] + counts["duplicates"] + counts["deadLettered"]
        found = {
            "offsets that are neither messages nor skipped": abs(offsets - counts["messages"] - counts["skipped"]),
            "messages at skipped offsets": self.found,
            "alerts received, but neither annotated, duplicate nor dead-lettered": abs(counts["received"] - became),
            "annotated alerts, ledger against table": abs(counts["annotated"] - self.in_table),
            "dead letters, ledger against dead-letter": abs(counts["deadLettered"] - self.in_deadletter),
        }
        return {what: count for what, count in found.items() if count}


@dataclass(frozen=True)
class Reconciliation:
    """The whole comparison.

    Parameters
    ----------
    partitions : each partition, and the files.
    nights : annotated alerts by night: the ledger's count and the table's.
    others : further differences, by what they are.
    """

    partitions: Sequence[PartitionCheck]
    nights: Mapping[str, tuple[int, int]]
    others: Mapping[str, int] = field(default_factory=dict)

    @property
    def differences(self) -> int:
        """The number of alerts, messages, counts or micro-batches that don't fit; 0 where the books balance."""
        by_partition = sum(sum(check.differences.values()) for check in self.partitions)
        by_night = sum(abs(ledger - table) for ledger, table in self.nights.values())
        return by_partition + by_night + sum(self.others.values())


@dataclass
class _Counted:
    """One pass over the annotation table."""

    partitions: Counter[str] = field(default_factory=Counter)
    nights: Counter[str] = field(default_factory=Counter)
    twice: int = 0


def reconcile(
    run: RunDirectory, table: AnnotationTable, source: KafkaSource | None, on_rows: Callable[[int], None]
) -> Reconciliation:
    """Compare everything.

    Parameters
    ----------
    run : the run's directory; the run must be stopped, or the comparison is one of moving things.
    table : its annotation table.
    source : where it reads; None if not from Kafka.
    on_rows : told how many rows of the table were looked at.

    Raises
    ------
    LedgerError, TableError, KafkaFailedError
        If one of the four can't be read.
    """
    ledger = Ledger.read(run.ledger)
    counted, dead = _count_table(table, on_rows), _count_letters(run)
    names = sorted({*ledger.total.partitions, *ledger.positions, *counted.partitions, *dead} - {FILES})
    kafka, found = _ask_kafka(run, ledger, source) if source else ({}, Counter())
    checks = [
        PartitionCheck(
            name,
            ledger.positions.get(name),
            ledger.total.partitions.get(name, Counter()),
            kafka.get(name),
            counted.partitions[name],
            dead[name],
            found[name],
        )
        for name in sorted({*names, *kafka})
    ]
    files = PartitionCheck(FILES, None, _of_files(ledger.total), None, counted.partitions[FILES], dead[FILES], 0)
    nights = {
        night: (ledger.total.nights[night], counted.nights[night])
        for night in sorted({*ledger.total.nights, *counted.nights})
    }
    shown = [*checks, *([files] if any(files.counts.values()) or files.differences else [])]
    return Reconciliation(shown, nights, _others(run, ledger, counted))


def _count_table(table: AnnotationTable, on_rows: Callable[[int], None]) -> _Counted:
    counted, seen = _Counted(), SeenAlerts()
    for rows in table.rows(COLUMNS):
        counted.partitions.update(_by_partition(rows["origin"]))
        counted.nights.update(_tally(rows["night"].cast(pa.utf8())))
        counted.twice += int((~seen.add(rows)).sum())
        on_rows(rows.num_rows)
    return counted


def _count_letters(run: RunDirectory) -> Counter[str]:
    total: Counter[str] = Counter()
    for letters in waiting(run, ["origin"]):
        total.update(_by_partition(letters["origin"]))
    return total


def _by_partition(origins: pa.ChunkedArray) -> Counter[str]:
    return _tally(pc.fill_null(partitions_of(origins), FILES))


def _tally(values: pa.ChunkedArray) -> Counter[str]:
    return Counter({row["values"]: row["counts"] for row in pc.value_counts(values).to_pylist()})


def _of_files(total: Entry) -> Counter[str]:
    """The ledger's counts of what came from no Kafka partition."""
    whole = Counter(
        received=total.received,
        annotated=total.annotated,
        duplicates=total.duplicates,
        deadLettered=total.dead_lettered,
    )
    for counts in total.partitions.values():
        whole.subtract({key: counts[key] for key in whole})
    return whole


def _ask_kafka(run: RunDirectory, ledger: Ledger, source: KafkaSource) -> tuple[Mapping[str, Span], Counter[str]]:
    """What Kafka has of each partition, and the messages that are still at offsets which were passed over."""
    client = Client(source, source.group_prefix)
    try:
        kafka = {name: client.bounds(name) for name in partition_list(client.topics(), source.wants)}
        found: Counter[str] = Counter()
        for name, span in _passed_over(run, ledger):
            if name in kafka and kafka[name].first < span.next:
                found[name] += sum(1 for _ in client.read(name, Span(max(span.first, kafka[name].first), span.next)))
    finally:
        client.close()
    return kafka, found


def _passed_over(run: RunDirectory, ledger: Ledger) -> Iterator[tuple[str, Span]]:
    """Offsets that were skipped within micro-batches, and those that Spark has passed behind the ledger's last ones."""
    for page in journal.read(run.journal):
        for name, spans in page.skipped.items():
            yield from ((name, span) for span in spans)
    for name, offset in read_offsets(run).items():
        known = ledger.positions.get(name)
        if known and offset > known.next:
            yield name, Span(known.next, offset)


def _others(run: RunDirectory, ledger: Ledger, counted: _Counted) -> Mapping[str, int]:
    pages = sum((page.entry for page in journal.read(run.journal)), Entry())
    found = {
        "alerts that are in the table twice": counted.twice,
        "counts of the ledger that aren't the sum of its pages": _apart(ledger.total.to_json(), pages.to_json()),
        "micro-batches that aren't delivered to Kafka yet": len(Outbox(run)),
    }
    return {what: count for what, count in found.items() if count}


def _apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """How many numbers differ in two mappings, at any depth; one that is missing is 0."""
    return sum(
        _apart(one.get(key) or {}, other.get(key) or {})
        if isinstance(one.get(key, other.get(key)), Mapping)
        else one.get(key, 0) != other.get(key, 0)
        for key in {*one, *other}
    )
