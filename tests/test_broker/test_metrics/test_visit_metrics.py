"""Complete visits are counted once, the newest is told as it comes in, and a restart makes none look short."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from broker._utc import unix_seconds
from broker.metrics import memory
from broker.metrics.exposition import all_figures
from broker.metrics.histogram import Histogram
from broker.pipeline import Outcome
from broker.visits.closing import LATER_VISITS, QUIET_SECONDS

NIGHT = 61_109.2
NAMES = ("boreal_visit_alerts", "boreal_visit_detectors", "boreal_visit_latency_seconds")


def visit(outcome: Outcome, number: int, alerts: int, first: int = 0, survey: str = "lsst") -> Outcome:
    """Alerts of a visit, each of a detector of its own; visits follow every 40 s."""
    rows = outcome.annotations.take(pa.array([0] * alerts))
    ids = pa.array(range(number * 1000 + first, number * 1000 + first + alerts), pa.int64())
    new = {
        "survey": pa.array([survey] * alerts), "mjdTai": pa.array([NIGHT + 40 * number / 86_400] * alerts),
        "visit": pa.array([number] * alerts, pa.int64()), "alertId": ids, "diaSourceId": ids,
        "detector": pa.array(range(first, first + alerts), pa.int32()),
    }  # fmt: skip
    for name, values in new.items():
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), values)
    return Outcome(rows, outcome.rejects.slice(0, 0), alerts)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the time, to so many seconds after visit 0 was observed."""
    start = float(unix_seconds(np.array([NIGHT]))[0])

    def to(seconds: float) -> None:
        monkeypatch.setattr("time.time", lambda: start + seconds)

    to(60.0)
    return to


def complete(run: Any) -> list[tuple[int, float]]:
    """Of each histogram, how many visits it has, and the sum of their values."""
    told = (all_figures()[name](run.state) for name in NAMES)
    histograms = [found.get(("lsst",)) for found in told if isinstance(found, dict)]
    return [(sum(each.counts), each.total) for each in histograms if isinstance(each, Histogram)]


def newest(run: Any) -> list[float | None]:
    """Number, alerts, detectors and age of the newest visit."""
    names = ("", "_alerts", "_detectors", "_age_seconds")
    return [run.series(f"boreal_newest_visit{name}").get(("lsst",)) for name in names]


def late(run: Any) -> float:
    return float(run.series("boreal_visit_late_alerts_total")["lsst",])


def test_the_newest_visit_is_told_as_it_comes_in(
    watched: Callable[..., Any], outcomes: list[Outcome], clock: Callable[[float], None]
) -> None:
    run = watched()
    assert newest(run) == [None] * 4
    run.take(0, visit(outcomes[0], 1, 5))
    run.take(1, visit(outcomes[0], 1, 7, first=5))
    clock(70)
    assert newest(run) == [1, 12, 12, pytest.approx(30, abs=1e-3)]
    run.take(2, visit(outcomes[0], 2, 3))
    assert newest(run)[:3] == [2, 3, 3]
    assert complete(run) == [(0, 0.0)] * 3


def test_a_visit_is_counted_once_when_no_more_of_it_comes_and_what_comes_then_is_late(
    watched: Callable[..., Any], outcomes: list[Outcome], clock: Callable[[float], None]
) -> None:
    run = watched()
    run.take(0, visit(outcomes[0], 1, 5))
    clock(60 + QUIET_SECONDS)
    expected = [(1, 5), (1, 5), (1, pytest.approx(20, abs=1e-3))]
    assert complete(run) == complete(run) == expected
    assert newest(run) == [None] * 4
    run.take(1, visit(outcomes[0], 1, 2, first=5))
    assert complete(run) == expected
    assert late(run) == 2


def test_a_clean_restart_goes_on_where_it_was(
    watched: Callable[..., Any], outcomes: list[Outcome], clock: Callable[[float], None]
) -> None:
    run = watched()
    run.take(0, visit(outcomes[0], 1, 5))
    memory.save(run.state)
    again = watched()
    memory.restore(again.state)
    again.take(1, visit(outcomes[0], 1, 7, first=5))
    clock(60 + QUIET_SECONDS)
    assert complete(again)[:2] == [(1, 12), (1, 12)]


@pytest.mark.parametrize("remembers", [True, False])
def test_after_a_kill_the_visits_in_hand_are_in_no_histogram(
    watched: Callable[..., Any], outcomes: list[Outcome], clock: Callable[[float], None], *, remembers: bool
) -> None:
    run = watched()
    if remembers:
        run.take(0, visit(outcomes[0], 1, 5))
        memory.save(run.state)
    run.take(1, visit(outcomes[0], 1, 7, first=5))
    again = watched()
    memory.restore(again.state)
    again.take(2, visit(outcomes[0], 1, 1, first=12))
    again.take(3, visit(outcomes[0], 2, 4))
    assert newest(again)[:3] == [2, 4, 4]
    clock(60 + QUIET_SECONDS)
    assert complete(again)[:2] == [(1, 4), (1, 4)]


def test_an_archive_closes_visits_by_those_that_follow(
    watched: Callable[..., Any], outcomes: list[Outcome], clock: Callable[[float], None]
) -> None:
    clock(40 * (LATER_VISITS + 5))
    run = watched()
    for number in range(LATER_VISITS + 3):
        run.take(number, visit(outcomes[0], number + 1, 2))
    assert complete(run)[0] == (3, 6)


def test_surveys_without_visits_have_none(watched: Callable[..., Any], outcomes: list[Outcome]) -> None:
    run = watched()
    ztf = outcomes[2].annotations.filter(pc.equal(outcomes[2].annotations["survey"], "ztf"))
    run.take(0, Outcome(ztf, outcomes[2].rejects.slice(0, 0), ztf.num_rows))
    assert ztf.num_rows > 0
    assert all(run.series(name) == {} for name in (*NAMES, "boreal_newest_visit", "boreal_visit_late_alerts_total"))
