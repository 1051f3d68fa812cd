"""What would a filter have sent? Counts by night and class, what its limits cut, and what other filters match too."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from broker.backtest.passed import NONE, OTHER, STORED, Passed, Rows
from broker.filters.definition import Filter
from broker.filters.limits import Limiter


@dataclass(frozen=True)
class Sent:
    """What a filter would have sent.

    Parameters
    ----------
    rows : the alerts that are sent.
    cut : alerts that its limits hold back, by limit.
    """

    rows: Rows
    cut: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Night:
    """A filter in one observing night.

    Parameters
    ----------
    night : yyyymmdd.
    read, matched, sent : alerts that were read, that pass the filter, and that are sent.
    objects : of which the alerts are that are sent.
    """

    night: int
    read: int
    matched: int
    sent: int
    objects: int


@dataclass(frozen=True)
class ClassCount:
    """Alerts that are sent, and their objects, by best class."""

    class_id: int
    name: str
    alerts: int
    objects: int


@dataclass(frozen=True)
class Overlap:
    """How many of the alerts that are sent another filter matches, too; `stored` if the table says so."""

    name: str
    alerts: int
    stored: bool


@dataclass(frozen=True)
class Backtest:
    """What a filter would have sent.

    Parameters
    ----------
    filter : the filter.
    matched : alerts that pass it.
    sent : what is sent after its limits.
    objects : of which the alerts are that are sent; alerts of no object aren't counted.
    nights : of all alerts that were read, ascending.
    classes : of the alerts that are sent, the most frequent first.
    overlap : with other filters, the largest first.
    failed : why it could not be evaluated on some alerts; empty if it could.
    """

    filter: Filter
    matched: int
    sent: Sent
    objects: int
    nights: tuple[Night, ...]
    classes: tuple[ClassCount, ...]
    overlap: tuple[Overlap, ...]
    failed: str = ""


def backtest(wanted: Filter, passed: Passed, others: Sequence[Filter] = ()) -> Backtest:
    """Apply a filter's limits to the alerts that pass it, and count.

    Parameters
    ----------
    wanted : one of the filters that `passed` was made with.
    passed : the alerts.
    others : the others that `passed` was made with.
    """
    rows = passed.of(wanted.name)
    sent = apply_limits(wanted, passed, rows)
    return Backtest(
        filter=wanted,
        matched=len(rows),
        sent=sent,
        objects=passed.counts(sent.rows)["objects"][0],
        nights=tuple(_nights(passed, rows, sent.rows)),
        classes=class_counts(passed, sent.rows),
        overlap=tuple(sorted(_overlap(passed, sent.rows, others), key=lambda each: (-each.alerts, each.name))),
        failed=passed.read.failed.get(wanted.name, ""),
    )


def apply_limits(wanted: Filter, passed: Passed, rows: Rows) -> Sent:
    """The alerts among those that pass that are sent: the stream's own limiter, in the order of time."""
    if not wanted.limits:
        return Sent(rows)
    alerts = passed.rows.select(["survey", "objectId", "mjdTai", "night"]).take(pa.array(rows))
    name = pa.array(np.zeros(len(rows), dtype=np.int32))
    matched = pa.array([[wanted.name]], pa.list_(pa.utf8())).take(name)
    delivered, cut = Limiter([wanted]).apply(alerts.append_column("matchedFilters", matched))
    return Sent(rows[np.asarray(pc.list_value_length(delivered)) > 0], cut.get(wanted.name, Counter()))


def class_counts(passed: Passed, rows: Rows) -> tuple[ClassCount, ...]:
    """Alerts and objects by best class, the most frequent first."""
    found = passed.counts(rows, "classId", "className").sort("alerts", "classId", descending=[True, False])
    return tuple(ClassCount(*row) for row in found.iter_rows())


def _nights(passed: Passed, matched: Rows, sent: Rows) -> Iterator[Night]:
    passing, going = (passed.by_night(rows) for rows in (matched, sent))
    for night, read in sorted(passed.read.nights.items()):
        yield Night(night, read, passing.get(night, NONE).alerts, *going.get(night, NONE))


def _overlap(passed: Passed, sent: Rows, others: Sequence[Filter]) -> Iterator[Overlap]:
    for each in others:
        yield Overlap(each.name, int(passed.matches[f"{OTHER}{each.name}"].to_numpy()[sent].sum()), stored=False)
    if STORED in passed.rows.column_names:
        names = passed.rows[STORED].take(pa.array(sent)).combine_chunks().flatten()
        for row in pc.value_counts(names).to_pylist():
            yield Overlap(row["values"], row["counts"], stored=True)
