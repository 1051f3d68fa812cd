"""Light curves as a stream sees them: cut after some days, or at one of their alerts.

A classifier that is asked at every age has to be trained at every age.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from classifiers.sequences import select
from schemas.alerts import AlertBatch
from training.light_curves import replace_curves

LONGEST_AGE_LOG2 = 10.0
"""Ages are drawn up to 2^10 = 1024 days."""


def at_random_age(alerts: AlertBatch, rng: Generator) -> AlertBatch:
    """Cut each light curve at first detection + 2^U(0, 10) days; objects without a detection stay whole.

    The alert becomes the last detection before the cut.
    """
    return at_age(alerts, 2.0 ** rng.uniform(0.0, LONGEST_AGE_LOG2, len(alerts)))


def at_age(alerts: AlertBatch, days: NDArray[np.float64]) -> AlertBatch:
    """Cut each light curve `days` (shape (n_alerts,)) after its first detection."""
    return _until(alerts, np.nan_to_num(alerts.light_curves.first_detection, nan=np.inf) + days)


def as_random_alert(alerts: AlertBatch, rng: Generator) -> AlertBatch:
    """Cut each light curve at one of its detections, drawn evenly: what the broker gets with one alert.

    Points of the same instant stay; objects without a detection stay whole.
    """
    curves = alerts.light_curves
    ordinal = np.cumsum(curves.detected) - 1
    count = curves.n_detections
    before = np.concatenate([[0], np.cumsum(count)[:-1]])
    chosen = before + np.floor(rng.random(len(curves)) * count).astype(np.int64)
    is_chosen = curves.detected & (ordinal == chosen[curves.owner])
    end = np.full(len(curves), np.inf)
    end[curves.owner[is_chosen]] = curves.mjd[is_chosen]
    return _until(alerts, end)


def _until(alerts: AlertBatch, end: NDArray[np.float64]) -> AlertBatch:
    """Keep the points up to and including `end` (MJD, shape (n_alerts,))."""
    curves = alerts.light_curves
    return replace_curves(alerts, select(curves, curves.mjd <= end[curves.owner]))
