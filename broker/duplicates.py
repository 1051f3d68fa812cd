"""Which alerts were seen before? Same survey, alert id and source id, in whatever file or order they come again.

Both ids are compared, since one alone may not tell alerts apart: all alerts of an ELAsTiCC sample carry one alertId.

With a window, an alert is known until its survey's clock has moved on by so many days since it came; after that it
can't be told from a new one, and is taken for one. The clock is the median mjdTai of the survey's `RECENT` newest
arrivals, and never goes back: no packet's own date decides alone what is forgotten, however wrong it is. Until so many
have come, nothing is.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from broker._pair_set import Integers, Pairs, PairSet, Rows, distinct

RECENT = 1001
"""The alerts whose median date is the clock. Half of them must be wrong before it is."""

GENERATIONS = 16
"""A window is forgotten in so many parts."""

Days = NDArray[np.float64]


class SeenAlerts:
    """The ids of the alerts that came: 16 bytes an alert.

    Parameters
    ----------
    window_days : days for which an alert is remembered at least; for ever if None. It is forgotten a sixteenth of
        that later at most.
    """

    def __init__(self, window_days: float | None = None) -> None:
        self._window = window_days
        self._surveys: dict[str, _Survey] = {}

    def __len__(self) -> int:
        return sum(len(survey) for survey in self._surveys.values())

    def add(self, alerts: pa.Table) -> Rows:
        """Remember these alerts; say of each row whether it is the first with its survey and ids.

        Parameters
        ----------
        alerts : a table with the columns ``survey``, ``alertId``, ``diaSourceId`` and ``mjdTai``.

        Returns
        -------
        bool array, shape (n_rows,)
        """
        first = self.restore(alerts)
        arrived = alerts.select(["survey", "mjdTai"]).filter(pa.array(first))
        dates = np.asarray(arrived["mjdTai"], dtype=np.float64)
        for name, rows in _by_survey(arrived):
            self._surveys[name].tell_time(dates[rows])
        return first

    def restore(self, alerts: pa.Table) -> Rows:
        """Remember alerts of an earlier run, as if they came now, but without moving the clock.

        A table of past alerts may hold them in any order, and the wrong dates of a whole season at its end.

        Parameters
        ----------
        alerts : a table with the columns ``survey``, ``alertId`` and ``diaSourceId``.

        Returns
        -------
        bool array, shape (n_rows,), as of `add`.
        """
        source, alert = (np.asarray(alerts[column], dtype=np.int64) for column in ("diaSourceId", "alertId"))
        first = np.zeros(alerts.num_rows, dtype=np.bool_)
        for name, rows in _by_survey(alerts):
            survey = self._surveys.setdefault(name, _Survey(self._window))
            first[rows] = survey.remember(source[rows], alert[rows])
        return first


class _Survey:
    """The ids of one survey, by the clock's time at which they came."""

    def __init__(self, window: float | None) -> None:
        self._window = window
        self._recent: Days = np.empty(0)
        self._clock: float | None = None
        self._began = 0.0
        self._newest = PairSet()
        self._older: list[tuple[float, PairSet]] = []

    def __len__(self) -> int:
        return sum(len(each) for each in self._generations())

    def remember(self, sources: Integers, alerts: Integers) -> Rows:
        pairs, rows = distinct(sources, alerts)
        new = ~self._holds(pairs)
        self._newest.insert(pairs[new])
        first = np.zeros(len(sources), dtype=np.bool_)
        first[rows[new]] = True
        return first

    def tell_time(self, dates: Days) -> None:
        """Move the clock on by the dates of new alerts, and forget what lies too far back."""
        if self._window is None:
            return
        self._recent = np.concatenate([self._recent, _sample(dates)])[-RECENT:]
        if len(self._recent) == RECENT:
            self._move_to(float(np.median(self._recent)), self._window)

    def _move_to(self, time: float, window: float) -> None:
        if self._clock is None:
            self._clock = self._began = time
        self._clock = max(self._clock, time)
        if self._clock - self._began >= window / GENERATIONS:
            self._older.append((self._clock, self._newest))
            self._began, self._newest = self._clock, PairSet()
        self._older = [(ended, ids) for ended, ids in self._older if ended >= self._clock - window]

    def _generations(self) -> list[PairSet]:
        return [self._newest, *(ids for _, ids in self._older)]

    def _holds(self, pairs: Pairs) -> Rows:
        found = np.zeros(len(pairs), dtype=np.bool_)
        for each in self._generations():
            found |= each.holds(pairs)
        return found


def _by_survey(alerts: pa.Table) -> Iterator[tuple[str, Integers]]:
    """Each survey and its rows."""
    for name in pc.unique(alerts["survey"]).to_pylist():
        yield name, np.flatnonzero(pc.equal(alerts["survey"], name))


def _sample(dates: Days) -> Days:
    """As many as the clock looks at, from all over a larger batch."""
    if len(dates) <= RECENT:
        return dates
    return dates[np.linspace(0, len(dates) - 1, RECENT).astype(np.int64)]
