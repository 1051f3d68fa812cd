"""The books: what was received, and what became of it."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Ledger:
    """The totals of a run's directory over all its micro-batches, and the last batch that is in them.

    Parameters
    ----------
    total : the sum over all committed batches.
    last_batch : the last committed batch of each stream (see `RunDirectory.stream_id`).
    """

    total: Entry = field(default_factory=Entry)
    last_batch: Mapping[str, int] = field(default_factory=dict)

    def has(self, stream: str, batch: int) -> bool:
        """Whether the batch is in the books already."""
        return batch <= self.last_batch.get(stream, -1)

    def commit(self, path: Path, stream: str, batch: int, entry: Entry) -> "Ledger":
        """Write the ledger with one more batch in it; from then on the batch's parts count.

        Raises
        ------
        LedgerError
            If the entry doesn't balance; nothing is written then.
        """
        entry.check()
        made = Ledger(self.total + entry, {**self.last_batch, stream: batch})
        made.write(path)
        return made

    def write(self, path: Path) -> None:
        """Put the ledger in the place of the file."""
        write_text(path, json.dumps(self.to_json(), indent=2) + "\n")

    def to_json(self) -> dict[str, Any]:
        """The ledger as it is written: camelCase keys, the four numbers that must balance first."""
        total = {camel_case(f.name): getattr(self.total, f.name) for f in fields(Entry)}
        return {**total, "lastBatch": dict(self.last_batch), "format": FORMAT}

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
        values = {f.name: _typed(found[camel_case(f.name)]) for f in fields(Entry) if f.name != "cut"}
        cut = {name: Counter(counts) for name, counts in found["cut"].items()}
        return cls(Entry(**values, cut=cut), found["lastBatch"])


def _typed(value: Any) -> Any:
    return Counter(value) if isinstance(value, dict) else int(value)
