"""Decoded alerts to time a stage with: those of the packets by schema, and made-up ones by length."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.figure import Baseline, Figure, Goal
from benchmarks.speeding.scale import Scale
from benchmarks.speeding.synthetic import synthetic_alerts
from benchmarks.timing import in_turns
from schemas.alerts import AlertBatch

MOST_CALLS = 4
"""Of a schema, so many calls' worth of packets are taken at most."""

YOUNG = 35
"""Points of a typical light curve early in the survey."""

LONG_US, YOUNG_US = 400.0, 200.0
"""What features and ensemble may take an alert: of the longest light curves among the packets, and of young ones."""


@dataclass(frozen=True)
class Lot:
    """Alerts of one kind.

    Parameters
    ----------
    name : ``lsst-10.0``, ``35-points``.
    alerts : as they are given to one call.
    alone : some of them, each in a call of its own.
    most_us : the most microseconds that features and ensemble may take an alert; None for any.
    """

    name: str
    alerts: Sequence[AlertBatch]
    alone: Sequence[AlertBatch]
    most_us: float | None = None

    @property
    def points(self) -> float:
        """Mean number of points of a light curve."""
        return float(np.mean(np.concatenate([batch.light_curves.lengths for batch in self.alerts])))


def packet_lots(alerts: AlertBatch, scale: Scale) -> list[Lot]:
    """A lot a survey and version of its schema, the one with the longest light curves first."""
    kinds = list(zip(alerts.table["survey"].to_pylist(), alerts.table["schema_version"].to_pylist(), strict=True))
    lots = [_lot("-".join(kind), _chosen(alerts, kinds, kind, scale), scale) for kind in sorted(set(kinds))]
    first, *others = sorted(lots, key=lambda lot: -lot.points)
    return [replace(first, most_us=LONG_US), *others]


def synthetic_lots(scale: Scale) -> list[Lot]:
    """A lot a length."""
    made = {points: synthetic_alerts(scale.alerts, points) for points in scale.points}
    return [_lot(f"{n}-points", alerts, scale, YOUNG_US if n == YOUNG else None) for n, alerts in made.items()]


def figure_of(part: str, lot: Lot, rounds: int, call: Callable[[AlertBatch], Any], goal: Goal | None = None) -> Figure:
    """Microseconds an alert of a call, against the same with one alert a call; called once before the clock runs."""
    call(lot.alone[0])
    together, alone = in_turns(rounds, lambda: [call(b) for b in lot.alerts], lambda: [call(b) for b in lot.alone])
    details = {"points": lot.points, "alertsAtOnce": len(lot.alerts[0])}
    baseline = Baseline("one alert a call", _micro(alone.seconds, lot.alone))
    return Figure(f"{part}.{lot.name}", _micro(together.seconds, lot.alerts), "us/alert", baseline, goal, details)


def _micro(seconds: float, batches: Sequence[AlertBatch]) -> float:
    return seconds / sum(map(len, batches)) * 1e6


def _chosen(alerts: AlertBatch, kinds: Sequence[tuple[str, str]], kind: tuple[str, str], scale: Scale) -> AlertBatch:
    """The alerts of a kind, a call's worth or more, repeated where there are fewer."""
    rows = np.flatnonzero([one == kind for one in kinds])[: MOST_CALLS * scale.alerts]
    return alerts.take(np.resize(rows, max(len(rows), scale.alerts)))


def _lot(name: str, alerts: AlertBatch, scale: Scale, most_us: float | None = None) -> Lot:
    together = [AlertBatch(alerts.table.slice(k, scale.alerts)) for k in range(0, len(alerts), scale.alerts)]
    alone = [AlertBatch(alerts.table.slice(k, 1)) for k in range(min(scale.alone, len(alerts)))]
    return Lot(name, together, alone, most_us)
