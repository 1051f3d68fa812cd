"""The books: what was received, and what became of it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from broker._atomic import write_text
from broker.errors import LedgerError
from schemas.annotation import camel_case

FORMAT = 1

NOT_EVALUATED = "could not be evaluated"
"""What stands beside the limits for alerts on which a filter failed."""


@dataclass(frozen=True)
class Entry:
    """The counts of one micro-batch, or of all of them together.

    Parameters
    ----------
    received : alerts that came in.
    annotated, duplicates, dead_lettered : what became of them; they add up to `received`.
    deliveries : alerts sent, by filter.
    cut : alerts that matched but were held back, by filter and limit.
    filter_errors : alerts for which a filter could not be evaluated, by filter; they don't pass it.
    nights, surveys, schemas : annotated alerts by observing night, survey, and schema version.
    not_classified : annotated alerts without a class, by reason.
    reject_stages : dead-lettered packets by the stage that gave up.
    reject_reasons : the same by kind of reason (see `broker.books.reasons`), those that were replayed included.
    replayed : by stage, packets that have left the dead-letter since a replay made something of them.
    undeliverable : messages that are too large for their topic, by destination; their alerts are in the table.
    partitions : by Kafka partition (``topic/number``): messages, bytes, offsets that held no message (skipped), and
        what became of the alerts in them; a message may hold several.
    partition_nights : annotated alerts by Kafka partition and observing night.
    inputs : by archive: portions that were read, and what became of the alerts in them.
    bundles : annotated alerts by the first digits of their bundle's hash.
    shadow : by the first digits of the hash of a shadow's bundle: alerts that it classified, those of them with the
        same class, and its failures.
    """

    received: int = 0
    annotated: int = 0
    duplicates: int = 0
    dead_lettered: int = 0
    deliveries: Counter[str] = field(default_factory=Counter)
    cut: dict[str, Counter[str]] = field(default_factory=dict)
    filter_errors: Counter[str] = field(default_factory=Counter)
    nights: Counter[str] = field(default_factory=Counter)
    surveys: Counter[str] = field(default_factory=Counter)
    schemas: Counter[str] = field(default_factory=Counter)
    not_classified: Counter[str] = field(default_factory=Counter)
    reject_stages: Counter[str] = field(default_factory=Counter)
    reject_reasons: Counter[str] = field(default_factory=Counter)
    replayed: Counter[str] = field(default_factory=Counter)
    undeliverable: Counter[str] = field(default_factory=Counter)
    partitions: dict[str, Counter[str]] = field(default_factory=dict)
    partition_nights: dict[str, Counter[str]] = field(default_factory=dict)
    inputs: dict[str, Counter[str]] = field(default_factory=dict)
    bundles: Counter[str] = field(default_factory=Counter)
    shadow: dict[str, Counter[str]] = field(default_factory=dict)

    def __add__(self, other: "Entry") -> "Entry":
        return Entry(**{f.name: _add(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)})

    @property
    def filters(self) -> list[str]:
        """The names of all filters that the counts mention, sorted."""
        return sorted({*self.deliveries, *self.cut, *self.filter_errors})

    def held_back(self, name: str) -> dict[str, int]:
        """Alerts that were not sent for a filter: by limit, and those for which it could not be evaluated."""
        by_limit = sorted(self.cut.get(name, {}).items())
        return dict([*by_limit, (NOT_EVALUATED, self.filter_errors[name])] if self.filter_errors[name] else by_limit)

    def to_json(self) -> dict[str, Any]:
        """The counts by camelCase key, the four numbers that must balance first."""
        return {camel_case(f.name): getattr(self, f.name) for f in fields(Entry)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Entry":
        """The counts that `to_json` gave; those that a version before this one didn't know are empty."""
        empty, given = cls(), {f.name: camel_case(f.name) for f in fields(cls) if camel_case(f.name) in found}
        return cls(**{name: _like(getattr(empty, name), found[key]) for name, key in given.items()})

    def check(self) -> None:
        """Raise a `LedgerError` if alerts were lost or made up."""
        accounted = self.annotated + self.duplicates + self.dead_lettered
        if self.received != accounted:
            raise LedgerError(
                f"the books don't balance: received {self.received}, but annotated {self.annotated} + duplicates "
                f"{self.duplicates} + dead-lettered {self.dead_lettered} = {accounted}"
            )


def _add(one: Any, other: Any) -> Any:
    if isinstance(one, int):
        return one + other
    if isinstance(one, Counter):
        return Counter({key: one[key] + other[key] for key in {**one, **other}})
    return {key: _add(one.get(key, Counter()), other.get(key, Counter())) for key in {**one, **other}}


class Span(NamedTuple):
    """A run of a partition's offsets: from the first up to, but without, the next."""

    first: int
    next: int


class VisitCount(NamedTuple):
    """What became of a visit's alerts that could be read."""

    survey: str
    visit: int
    annotated: int
    duplicates: int


@dataclass(frozen=True)
class Page:
    """What one micro-batch adds to the books.

    Parameters
    ----------
    stream, number : which micro-batch.
    entry : its counts.
    spans : the offsets that it took of each Kafka partition.
    skipped : the runs of offsets among them that held no message; Kafka's own transaction marks, or what had expired.
    taken : when it was taken in [ms since 1970, UTC]; None in the books of versions before this one.
    visits : the visits that its alerts are of.
    """

    stream: str
    number: int
    entry: Entry
    spans: Mapping[str, Span] = field(default_factory=dict)
    skipped: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    taken: int | None = None
    visits: Sequence[VisitCount] = ()

    def to_json(self) -> dict[str, Any]:
        """The page as plain data, without counts of zero."""
        return {
            "stream": self.stream,
            "batch": self.number,
            "spans": {name: list(span) for name, span in self.spans.items()},
            "skipped": {name: [list(span) for span in spans] for name, spans in self.skipped.items()},
            "taken": self.taken,
            "visits": [list(count) for count in self.visits],
            **{key: count for key, count in self.entry.to_json().items() if count},
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Page":
        """The page that `to_json` gave."""
        spans = {name: Span(*span) for name, span in found["spans"].items()}
        skipped = {name: [Span(*span) for span in runs] for name, runs in found["skipped"].items()}
        visits = tuple(VisitCount(*count) for count in found.get("visits", ()))
        entry = Entry.from_json(found)
        return cls(found["stream"], found["batch"], entry, spans, skipped, found.get("taken"), visits)


@dataclass(frozen=True)
class Ledger:
    """The totals of a run's directory over all its micro-batches, and the last batch that is in them.

    Parameters
    ----------
    total : the sum over all committed batches.
    last_batch : the last committed batch of each stream (see `RunDirectory.stream_id`), -1 before its first.
    positions : of each Kafka partition, the first offset that was read and the next one to read.
    """

    total: Entry = field(default_factory=Entry)
    last_batch: Mapping[str, int] = field(default_factory=dict)
    positions: Mapping[str, Span] = field(default_factory=dict)

    def has(self, stream: str, batch: int) -> bool:
        """Whether the batch is in the books already."""
        return batch <= self.last_batch.get(stream, -1)

    def with_stream(self, path: Path, stream: str) -> "Ledger":
        """Write down a stream before its first batch, so that whoever recovers knows to ask the table for it."""
        if stream in self.last_batch:
            return self
        made = replace(self, last_batch={**self.last_batch, stream: -1})
        made.write(path)
        return made

    def commit(self, path: Path, page: Page) -> "Ledger":
        """Write the ledger with one more batch in it; from then on the batch's parts count."""
        made = Ledger(
            self.total + page.entry,
            {**self.last_batch, page.stream: page.number},
            {**self.positions, **{name: self._extended(name, span) for name, span in page.spans.items()}},
        )
        made.write(path)
        return made

    def _extended(self, partition: str, by: Span) -> Span:
        known = self.positions.get(partition, by)
        return Span(min(known.first, by.first), max(known.next, by.next))

    def write(self, path: Path) -> None:
        """Put the ledger in the place of the file."""
        write_text(path, json.dumps(self.to_json(), indent=2) + "\n")

    def to_json(self) -> dict[str, Any]:
        """The ledger as it is written: camelCase keys, the four numbers that must balance first."""
        positions = {name: list(span) for name, span in self.positions.items()}
        return {**self.total.to_json(), "lastBatch": dict(self.last_batch), "positions": positions, "format": FORMAT}

    @classmethod
    def read(cls, path: Path) -> "Ledger":
        """The ledger in this file; an empty one where there is no file yet.

        Raises
        ------
        LedgerError
            If the file isn't a ledger.
        """
        if not path.exists():
            return cls()
        try:
            return cls._from_json(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerError(
                f"{path} isn't a ledger of format {FORMAT}: {error!r}; restore it, or start in a new directory"
            ) from None

    @classmethod
    def _from_json(cls, found: dict[str, Any]) -> "Ledger":
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']}")
        positions = {name: Span(*span) for name, span in found.get("positions", {}).items()}
        return cls(Entry.from_json(found), found["lastBatch"], positions)


def _like(empty: Any, value: Any) -> Any:
    """A value of JSON in the type of an empty one, which its own content may not tell."""
    if isinstance(empty, int):
        return int(value)
    if isinstance(empty, Counter):
        return Counter(value)
    return {name: Counter(inner) for name, inner in value.items()}
