"""Alerts of a night that is over are late; those with absurd dates make no other so."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from broker._derive import night_of
from broker.metrics import memory
from broker.pipeline import Outcome


def dated(outcome: Outcome, mjd: list[float], first: int) -> Outcome:
    """As many alerts of one survey with these dates, and ids of their own."""
    rows = outcome.annotations.take(pa.array([0] * len(mjd)))
    n = len(mjd)
    new = {
        "survey": pa.array(["lsst"] * n),
        "mjdTai": pa.array(mjd),
        "night": pa.array(night_of(np.array(mjd))),
        "alertId": pa.array(range(first, first + n), pa.int64()),
        "diaSourceId": pa.array(range(first, first + n), pa.int64()),
    }
    for name, values in new.items():
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), values)
    return Outcome(rows, outcome.rejects.slice(0, 0), n)


def late(run: Any) -> float:
    return float(run.series("boreal_late_alerts_total")["lsst",])


def test_alerts_of_an_earlier_night_are_late(watched: Callable[..., Any], outcomes: list[Outcome]) -> None:
    run, base = watched(), outcomes[0]
    run.take(0, dated(base, [61_000.7] * 10, 0))
    assert late(run) == 0
    run.take(1, dated(base, [61_001.7] * 30, 100))
    assert late(run) == 0
    run.take(2, dated(base, [61_000.7] * 3 + [61_001.8] * 5, 200))
    assert late(run) == 3
    memory.save(run.state)
    again = watched()
    memory.restore(again.state)
    again.take(3, dated(base, [61_000.7], 300))
    assert late(again) == 1


def test_a_date_in_the_far_future_makes_nobody_late(watched: Callable[..., Any], outcomes: list[Outcome]) -> None:
    run = watched()
    run.take(0, dated(outcomes[0], [61_000.7] * 10 + [150_000.0] * 4, 0))
    run.take(1, dated(outcomes[0], [61_000.7] * 10, 100))
    assert late(run) == 0
