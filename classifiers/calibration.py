"""Calibration: temperatures and biases, by what an alert shows (Guo et al. 2017, arXiv:1706.04599, section 4.2).

The logarithms of the members' mean are divided by a temperature and shifted by a bias of each class. Temperatures go by
the span of days since the first detection, by whether the host is known, and by how far back the light curve reaches;
biases go by the span alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers._rows import safe_log, softmax
from classifiers.manifest import CalibrationEntry
from features.family import FeatureInput
from schemas.alerts import LightCurves

HOSTS = ("without host", "with host")
"""By whether there is a photometric redshift of the host."""

HISTORIES = ("detections alone", "a month back", "farther back")
"""By what is known from before the first detection: no visit but detections, what packets of LSST hold, or more."""

MONTH = 31.0
"""LSST's packets reach back 30 days and what is rounded [d]."""


@dataclass(frozen=True)
class Cases:
    """Which temperatures and biases go for n light curves; int64 arrays, shape (n,).

    Parameters
    ----------
    spans : index of the span of days since the first detection.
    hosts, histories : indices into `HOSTS` and `HISTORIES`.
    """

    spans: NDArray[np.int64]
    hosts: NDArray[np.int64]
    histories: NDArray[np.int64]

    @classmethod
    def of(cls, given: FeatureInput, edges: tuple[float, ...]) -> "Cases":
        """The cases of light curves, with the edges between spans [d]."""
        return cls(
            bucket(days_since_first_detection(given.curves), edges),
            np.isfinite(given.host_photoz).astype(np.int64),
            history(given.curves),
        )


def beginning(curves: LightCurves) -> NDArray[np.float64]:
    """MJD of each object's first detection [d], of its first point where nothing was detected, shape (n,).

    NaN for an object without points.
    """
    return np.where(np.isnan(curves.first_detection), _first(curves), curves.first_detection)


def days_since_first_detection(curves: LightCurves) -> NDArray[np.float64]:
    """Time from the first detection to the last point of each light curve [d], shape (n,); NaN without points."""
    last = np.full(len(curves), np.nan)
    filled = curves.lengths > 0
    last[filled] = curves.mjd[curves.offsets[1:][filled] - 1]
    return last - beginning(curves)


def history(curves: LightCurves) -> NDArray[np.int64]:
    """How far back each light curve reaches, an index into `HISTORIES`, shape (n,)."""
    detections_alone = curves.n_detections == curves.lengths
    far = curves.first_detection - _first(curves) > MONTH
    return np.where(detections_alone, 0, np.where(far, 2, 1)).astype(np.int64)


def _first(curves: LightCurves) -> NDArray[np.float64]:
    """MJD of each object's first point [d], NaN without points."""
    first = np.full(len(curves), np.nan)
    filled = curves.lengths > 0
    first[filled] = curves.mjd[curves.offsets[:-1][filled]]
    return first


def bucket(days: NDArray[np.float64], edges: tuple[float, ...]) -> NDArray[np.int64]:
    """Index of the span that each number of days falls into, from 0 to ``len(edges)``; an edge opens a span."""
    return np.searchsorted(np.asarray(edges), days, side="right").astype(np.int64)


def factors(cases: Cases, calibration: CalibrationEntry) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The temperature of each light curve, shape (n,), and its biases, shape (n, n_classes)."""
    temperatures, biases = np.asarray(calibration.temperatures), np.asarray(calibration.biases)
    return temperatures[cases.spans, cases.hosts, cases.histories], biases[cases.spans]


def calibrate(
    probabilities: NDArray[np.float64],
    temperatures: NDArray[np.float64],
    biases: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """Probabilities raised to 1 / temperature, times e to the bias, and normalised again.

    Parameters
    ----------
    probabilities : float64 array, shape (n, n_classes)
    temperatures : float64 array, shape (n,)
        Above 1 makes a row less certain.
    biases : float64 array, shape (n, n_classes)
        Above 0 makes a class more probable.
    """
    return softmax(safe_log(probabilities) / temperatures[:, None] + biases)
