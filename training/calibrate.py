"""Fits what stands between the members and the answer: the weight of each, and the temperatures."""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import bucket, calibrate
from classifiers.predict import combine
from training.scores import nll

SPANS = (2.0, 8.0, 32.0, 128.0)
"""Edges of the spans of days since the first detection that get a temperature each."""

TEMPERATURES = np.geomspace(0.4, 4.0, 231)
STEPS = 20
FEWEST = 100
"""A span with fewer light curves takes the temperature of all of them."""


def best_weights(answers: Sequence[NDArray[np.float64]], labels: NDArray[np.int64]) -> list[float]:
    """Weights of the members' out-of-fold probabilities in the geometric mean with the least log-loss.

    All shares in steps of 1 / `STEPS` are tried: few enough that the best can't be missed.

    Parameters
    ----------
    answers : float64 arrays, shape (n, n_classes), a member each
    labels : int64 array, shape (n,)
    """
    shares = list(_shares(len(answers), STEPS))
    best = min(shares, key=lambda weights: nll(combine(list(answers), weights), labels))
    return [round(weight, 6) for weight in best]


def _shares(members: int, steps: int) -> Iterator[list[float]]:
    """Every way to give each member some of the steps."""
    for cuts in combinations(range(steps + members - 1), members - 1):
        edges = (-1, *cuts, steps + members - 1)
        yield [(high - low - 1) / steps for low, high in pairwise(edges)]


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
