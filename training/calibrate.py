"""Fits what stands between the members and the answer: the weight of each, and the calibration of their mean."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations, pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from classifiers._rows import row_sum, safe_log, softmax
from classifiers.calibration import HISTORIES, HOSTS, Cases, calibrate
from classifiers.manifest import CalibrationEntry
from classifiers.predict import combine
from training.scores import nll

Array = NDArray[np.float64]

SPANS = (2.0, 8.0, 32.0, 128.0)
"""Edges of the spans of days since the first detection that are calibrated each by itself."""

SHAPE = (len(SPANS) + 1, len(HOSTS), len(HISTORIES))
CELLS = prod(SHAPE)
POWER_SPREAD, BIAS_SPREAD = 0.1, 0.15
"""How far inverse temperatures are expected to lie from that of all, and biases from 0: a standard deviation."""

SMALLEST_POWER = 0.1
UNTIL = {"ftol": 1e-13, "gtol": 1e-8, "maxiter": 1000}
DIGITS = 4

TEMPERATURES = np.geomspace(0.4, 4.0, 231)
STEPS = 20


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


def fit_calibration(probabilities: NDArray[np.float64], labels: NDArray[np.int64], cases: Cases) -> CalibrationEntry:
    """The temperatures and biases with the least log-loss, all together: a convex problem of inverse temperatures.

    Those that few light curves speak of stay near the best temperature of all, and near a bias of 0.

    Parameters
    ----------
    probabilities : float64 array, shape (n, n_classes)
        Of the members' mean, out-of-fold.
    labels : int64 array, shape (n,)
    cases : of the light curves, by the spans of `SPANS`.
    """
    n_classes, middle = probabilities.shape[1], 1.0 / best_temperature(probabilities, labels)
    begin = np.concatenate([np.full(CELLS, middle), np.zeros(SHAPE[0] * n_classes)])
    bounds = [(SMALLEST_POWER, None)] * CELLS + [(None, None)] * (len(begin) - CELLS)
    loss = partial(_loss, safe_log(probabilities), np.eye(n_classes)[labels], cases, middle)
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=UNTIL).x
    temperatures = np.round(1.0 / found[:CELLS].reshape(SHAPE), DIGITS).tolist()
    biases = np.round(found[CELLS:].reshape(-1, n_classes), DIGITS).tolist()
    return CalibrationEntry.model_validate({"days": SPANS, "temperatures": temperatures, "biases": biases})


def _loss(logs: Array, truth: Array, cases: Cases, middle: float, parameters: Array) -> tuple[float, Array]:
    """Log-loss a light curve, with what keeps the parameters near, and its slope."""
    cells = np.ravel_multi_index((cases.spans, cases.hosts, cases.histories), SHAPE)
    powers, biases = parameters[:CELLS], parameters[CELLS:].reshape(SHAPE[0], -1)
    told = softmax(powers[cells][:, None] * logs + biases[cases.spans])
    wrong, off, n = told - truth, (powers - middle) / POWER_SPREAD, len(logs)
    slopes = np.bincount(cells, row_sum(wrong * logs), CELLS) + off / POWER_SPREAD
    shifts = np.stack([np.bincount(cases.spans, each, SHAPE[0]) for each in wrong.T], 1) + biases / BIAS_SPREAD**2
    kept = (np.square(off).sum() + np.square(biases / BIAS_SPREAD).sum()) / 2
    loss = kept - (truth * safe_log(told)).sum()
    return float(loss / n), np.concatenate([slopes, shifts.ravel()]) / n


def best_temperature(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The temperature with the least log-loss, for all ages alike."""
    n = len(labels)
    losses = [nll(calibrate(probabilities, np.full(n, temperature)), labels) for temperature in TEMPERATURES]
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 6)
