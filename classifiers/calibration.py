"""Calibration: a temperature for each span of days since the first detection (Guo et al. 2017, arXiv:1706.04599)."""

import numpy as np
from numpy.typing import NDArray

from classifiers._rows import safe_log, softmax
from schemas.alerts import LightCurves


def beginning(curves: LightCurves) -> NDArray[np.float64]:
    """MJD of each object's first detection [d], of its first point where nothing was detected, shape (n,).

    NaN for an object without points.
    """
    begin = np.full(len(curves), np.nan)
    filled = curves.lengths > 0
    begin[filled] = curves.mjd[curves.offsets[:-1][filled]]
    return np.where(np.isnan(curves.first_detection), begin, curves.first_detection)


def days_since_first_detection(curves: LightCurves) -> NDArray[np.float64]:
    """Time from the first detection to the last point of each light curve [d], shape (n,); NaN without points."""
    last = np.full(len(curves), np.nan)
    filled = curves.lengths > 0
    last[filled] = curves.mjd[curves.offsets[1:][filled] - 1]
    return last - beginning(curves)


def bucket(days: NDArray[np.float64], edges: tuple[float, ...]) -> NDArray[np.int64]:
    """Index of the span that each number of days falls into, from 0 to ``len(edges)``; an edge opens a span."""
    return np.searchsorted(np.asarray(edges), days, side="right").astype(np.int64)


def calibrate(probabilities: NDArray[np.float64], temperatures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities raised to 1 / temperature and normalised again.

    Parameters
    ----------
    probabilities : float64 array, shape (n, n_classes)
    temperatures : float64 array, shape (n,)
        Above 1 makes a row less certain.
    """
    return softmax(safe_log(probabilities) / temperatures[:, None])
