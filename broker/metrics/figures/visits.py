"""Visits: how many alerts and detectors complete ones have, how long they took, how far the newest one is."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from broker._utc import unix_seconds
from broker.commit import Taken
from broker.metrics.catalogue import BY_NAME
from broker.metrics.family import Family, Tally
from broker.metrics.histogram import Histogram
from broker.metrics.labels import Labels
from broker.metrics.state import State
from broker.visits.closing import Open, Progress

MEASURES: Mapping[str, Callable[[Open], float]] = {
    "boreal_visit_alerts": lambda visit: visit.alerts,
    "boreal_visit_detectors": lambda visit: visit.detectors.bit_count(),
    "boreal_visit_latency_seconds": lambda visit: max(0.0, visit.last - visit.observed),
}
"""What is counted of a complete visit."""

Histograms = Mapping[str, Mapping[Labels, Histogram]]


class Seen(NamedTuple):
    """What was seen, as of one micro-batch.

    Parameters
    ----------
    annotated : alerts that the books had then.
    surveys : the visits of each survey.
    histograms : how many complete visits were how large and how slow.
    """

    annotated: int
    surveys: Mapping[str, Progress]
    histograms: Histograms

    def as_of(self, now: float) -> "Seen":
        """With the visits complete that have been quiet until then: the last of a night, before another one comes."""
        surveys, histograms = dict(self.surveys), self.histograms
        for survey, known in self.surveys.items():
            surveys[survey], complete = known.as_of(now)
            histograms = _with(histograms, survey, complete)
        return Seen(self.annotated, surveys, histograms)


class SeenVisits(Tally):
    """The visits of each survey, and how many complete ones were how large and how slow.

    A visit of which alerts may have come before the start is in no histogram.
    """

    name = "visits"

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._seen = Seen(state.ledger.total.annotated, {}, {name: {} for name in MEASURES})
        self._knows_all = self._seen.annotated == 0

    def take(self, taken: Taken) -> None:
        """See the alerts that were annotated."""
        surveys, histograms = dict(self._seen.surveys), self._seen.histograms
        came = visits_of(taken.written.annotations, taken.counted, whole=self._knows_all)
        for survey in {*surveys, *came}:
            known = surveys.get(survey, Progress())
            surveys[survey], complete = known.with_batch(came.get(survey, {}), taken.counted)
            histograms = _with(histograms, survey, complete)
        self._seen = Seen(self.state.ledger.total.annotated, surveys, histograms)
        self._knows_all = True

    def now(self) -> Seen:
        """As it is now."""
        return self._seen.as_of(time.time())

    def to_json(self) -> Any:
        """The visits, and how many alerts the books had then."""
        seen = self._seen
        surveys = {
            survey: {
                "open": [[number, *vars(visit).values()] for number, visit in progress.open.items()],
                "closed": [list(pair) for pair in progress.closed.items()],
            }
            for survey, progress in seen.surveys.items()
        }
        return {"annotated": seen.annotated, "surveys": surveys}

    def restore(self, found: Any) -> None:
        """Go on from an earlier run's; where that had no time to write all of it down, open visits aren't whole."""
        knows_all = found["annotated"] == self._seen.annotated
        surveys = {
            str(survey): Progress(
                {int(number): _restored(*visit, knows_all=knows_all) for number, *visit in progress["open"]},
                {int(number): float(observed) for number, observed in progress["closed"]},
            )
            for survey, progress in found["surveys"].items()
        }
        self._seen, self._knows_all = self._seen._replace(surveys=surveys), knows_all


def _restored(alerts: int, detectors: int, observed: float, last: float, whole: bool, *, knows_all: bool) -> Open:
    return Open(int(alerts), int(detectors), float(observed), float(last), bool(whole) and knows_all)


def visits_of(annotations: pa.Table, now: float, *, whole: bool) -> dict[str, dict[int, Open]]:
    """The visits of annotated alerts, by survey and number.

    Parameters
    ----------
    annotations : with ``survey``, ``visit``, ``detector`` and ``mjdTai``.
    now : when they were annotated [s since 1970, UTC].
    whole : whether all alerts of their visits that came before were seen.
    """
    if "visit" not in annotations.column_names:
        return {}
    alerts = pl.DataFrame(pl.from_arrow(annotations.select(["survey", "visit", "detector", "mjdTai"])))
    by_visit = alerts.drop_nulls("visit").group_by("survey", "visit")
    found: dict[str, dict[int, Open]] = {}
    rows = by_visit.agg(pl.len(), pl.col("detector").drop_nulls().unique(), pl.col("mjdTai").min()).iter_rows()
    for survey, number, count, detectors, mjd in rows:
        observed = float(unix_seconds(np.array([mjd]))[0])
        bits = sum(1 << detector for detector in detectors)
        found.setdefault(survey, {})[number] = Open(count, bits, observed, now, whole)
    return found


def _with(histograms: Histograms, survey: str, complete: list[Open]) -> Histograms:
    """The histograms with these visits, but for those that weren't seen whole; empty ones where there is none yet.

    They begin empty with a survey's first visit: the first step of a series that wasn't there is none to Prometheus.
    """
    whole = [visit for visit in complete if visit.whole]
    return {
        name: {
            **known,
            (survey,): known.get((survey,), Histogram.of(BY_NAME[name].buckets)).with_values(
                [float(MEASURES[name](visit)) for visit in whole]
            ),
        }
        for name, known in histograms.items()
    }


def _newest(state: State, tell: Callable[[int, Open], float]) -> dict[Labels, float]:
    """Something of the newest visit of each survey, where it is open."""
    surveys = state.tally(SeenVisits).now().surveys
    newest = ((survey, known.newest, known) for survey, known in surveys.items())
    return {
        (survey,): tell(number, known.open[number])
        for survey, number, known in newest
        if number is not None and number in known.open
    }


def _histograms(name: str) -> Callable[[State], Mapping[Labels, Histogram]]:
    return lambda state: state.tally(SeenVisits).now().histograms[name]


FAMILY = Family(
    {
        **{name: _histograms(name) for name in MEASURES},
        "boreal_newest_visit": lambda state: _newest(state, lambda number, _: number),
        "boreal_newest_visit_alerts": lambda state: _newest(state, lambda _, visit: visit.alerts),
        "boreal_newest_visit_detectors": lambda state: _newest(state, lambda _, visit: visit.detectors.bit_count()),
        "boreal_newest_visit_age_seconds": lambda state: _newest(state, lambda _, visit: time.time() - visit.observed),
        "boreal_visit_late_alerts_total": lambda state: {
            (survey,): known.late for survey, known in state.tally(SeenVisits).now().surveys.items()
        },
    },
    (SeenVisits,),
)
