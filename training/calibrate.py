"""Fits what stands between the members and the answer: the weight of each, and the temperatures."""

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import bucket, calibrate
from classifiers.predict import combine
from training.scores import nll

SPANS = (2.0, 8.0, 32.0, 128.0)
"""Edges of the spans of days since the first detection that get a temperature each."""

TEMPERATURES = np.geomspace(0.4, 4.0, 231)
WEIGHTS = np.linspace(0.0, 1.0, 41)
FEWEST = 100
"""A span with fewer light curves takes the temperature of all of them."""


def best_weights(answers: list[NDArray[np.float64]], labels: NDArray[np.int64]) -> list[float]:
    """Weights of two members' out-of-fold probabilities in the geometric mean with the least log-loss.

    Parameters
    ----------
    answers : two float64 arrays, shape (n, n_classes)
    labels : int64 array, shape (n,)
    """
    losses = [nll(combine(answers, [weight, 1 - weight]), labels) for weight in WEIGHTS]
    best = float(WEIGHTS[int(np.argmin(losses))])
    return [round(best, 6), round(1 - best, 6)]


def best_temperatures(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], days: NDArray[np.float64]
) -> tuple[float, ...]:
    """The temperature with the least log-loss in each span of `SPANS`.

    Parameters
    ----------
    probabilities : float64 array, shape (n, n_classes)
        Out-of-fold.
    labels : int64 array, shape (n,)
    days : float64 array, shape (n,)
        Days since the first detection.
    """
    overall = best_temperature(probabilities, labels)
    spans = bucket(days, SPANS)
    rows = [spans == span for span in range(len(SPANS) + 1)]
    return tuple(best_temperature(probabilities[r], labels[r]) if r.sum() >= FEWEST else overall for r in rows)


def best_temperature(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The temperature with the least log-loss, for all ages alike."""
    n = len(labels)
    losses = [nll(calibrate(probabilities, np.full(n, temperature)), labels) for temperature in TEMPERATURES]
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 6)
