"""How much of what matches is sent? Limits per night, per object, and a pause between two alerts of an object.

Limits need memory, so they run in one place, on the driver, after duplicates are removed. What they hold back is
counted.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

ObjectKey = tuple[str, str]
"""Survey and object id: two surveys may use the same id."""

Row = tuple[ObjectKey | None, int, float]
"""Object (None where the alert has none), night, MJD TAI."""


@dataclass(frozen=True)
class Limits:
    """How much a filter may send.

    Alerts of no object are limited by `per_night` only.

    Parameters
    ----------
    per_night : alerts per observing night.
    per_object : alerts of one object, ever.
    cooldown_days : days between the times (mjdTai) of any two alerts of one object.
    """

    per_night: int | None = None
    per_object: int | None = None
    cooldown_days: float | None = None

    def __bool__(self) -> bool:
        return self != Limits()

    @property
    def by_object(self) -> bool:
        """Whether they count the alerts of each object."""
        return self.per_object is not None or self.cooldown_days is not None


class Limited(Protocol):
    """What the limiter asks of a filter."""

    @property
    def name(self) -> str:
        """As `matchedFilters` and `deliveredTo` name it."""
        ...

    @property
    def limits(self) -> Limits:
        """How much it may send."""
        ...


@dataclass
class _Book:
    """What a filter has sent so far."""

    limits: Limits
    nights: Counter[int] = field(default_factory=Counter)
    objects: dict[ObjectKey, list[float]] = field(default_factory=lambda: defaultdict(list))

    def held_back_by(self, key: ObjectKey | None, night: int, mjd: float) -> str | None:
        sent = self.objects.get(key, ()) if key else ()
        if self.limits.per_object is not None and len(sent) >= self.limits.per_object:
            return "perObject"
        if self.limits.cooldown_days is not None and any(abs(mjd - t) < self.limits.cooldown_days for t in sent):
            return "cooldownDays"
        if self.limits.per_night is not None and self.nights[night] >= self.limits.per_night:
            return "perNight"
        return None

    def enter(self, key: ObjectKey | None, night: int, mjd: float) -> None:
        self.nights[night] += 1
        if key and self.limits.by_object:
            self.objects[key].append(mjd)

    def under(self, limits: Limits) -> "_Book | None":
        """The same book for other limits; None where those need what wasn't written down."""
        if not limits.by_object:
            return _Book(limits, self.nights)
        return _Book(limits, self.nights, self.objects) if self.limits.by_object else None


class Limiter:
    """Applies the limits of filters to one batch after the other, in their order.

    It remembers what it let through. After a failed write, or in a new process, make a new one and `replay` what was
    really delivered.

    Parameters
    ----------
    filters : each with a name and limits.
    """

    def __init__(self, filters: Iterable[Limited]) -> None:
        self._books = {each.name: _Book(each.limits) for each in filters if each.limits}

    def with_filters(self, filters: Iterable[Limited]) -> tuple["Limiter", tuple[str, ...]]:
        """A limiter for other filters, or other limits, that goes on from here.

        It takes over what this one remembers, so that this one is of no use any more.

        Parameters
        ----------
        filters : each with a name and limits.

        Returns
        -------
        limiter : what each filter has sent counts for its new limits.
        unknown : names of filters whose past deliveries were not written down; `replay` them.
        """
        other = Limiter(filters)
        kept = {name: old.under(book.limits) for name, book in other._books.items() if (old := self._books.get(name))}
        other._books.update({name: book for name, book in kept.items() if book})
        return other, tuple(name for name in other._books if kept.get(name) is None)

    def replay(self, deliveries: pa.Table, names: Collection[str] | None = None) -> None:
        """Remember past deliveries.

        Parameters
        ----------
        deliveries : columns ``survey``, ``objectId``, ``mjdTai``, ``night`` and ``deliveredTo`` (names of filters).
        names : of the filters whose deliveries are meant; all of them if None.
        """
        entries, owners = _entries(deliveries["deliveredTo"])
        for name, book in self._books.items():
            if names is None or name in names:
                for row in _rows(deliveries, owners[entries == name]):
                    book.enter(*row)

    def apply(self, alerts: pa.Table) -> tuple[pa.Array, dict[str, Counter[str]]]:
        """Decide what is sent, alert by alert in the order of the rows.

        An alert that one limit holds back doesn't use up another. ``perObject`` is asked first, then ``cooldownDays``,
        then ``perNight``; the first that says no is the one that counts.

        Parameters
        ----------
        alerts : columns ``survey``, ``objectId``, ``mjdTai``, ``night`` and ``matchedFilters`` (names of filters).

        Returns
        -------
        delivered : list of the names of the filters that each alert is sent for, a row per alert.
        cut : number of alerts held back, by filter and limit.
        """
        names, owners = _entries(alerts["matchedFilters"])
        keep = np.ones(len(names), dtype=np.bool_)
        cut: dict[str, Counter[str]] = {}
        for name, book in self._books.items():
            entries = np.nonzero(names == name)[0]
            reasons = [_decide(book, row) for row in _rows(alerts, owners[entries])]
            keep[entries] = [reason is None for reason in reasons]
            held = Counter(reason for reason in reasons if reason is not None)
            if held:
                cut[name] = held
        return _lists(names[keep], owners[keep], alerts.num_rows), cut


def _decide(book: _Book, row: Row) -> str | None:
    reason = book.held_back_by(*row)
    if reason is None:
        book.enter(*row)
    return reason


def _entries(lists: pa.ChunkedArray) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The values of a list column, and the row that each stands in."""
    column = lists.combine_chunks()
    owners = np.repeat(np.arange(len(column)), np.asarray(pc.fill_null(pc.list_value_length(column), 0)))
    return np.asarray(column.flatten().to_pylist(), dtype=object), owners


def _rows(table: pa.Table, rows: NDArray[np.int64]) -> Iterator[Row]:
    picked = table.select(["survey", "objectId", "night", "mjdTai"]).take(pa.array(rows, pa.int64()))
    for survey, name, night, mjd in zip(*(column.to_pylist() for column in picked.columns), strict=True):
        yield (None if name is None else (survey, name)), night, mjd


def _lists(names: NDArray[np.object_], owners: NDArray[np.int64], n_rows: int) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=n_rows))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(names, pa.utf8()))
