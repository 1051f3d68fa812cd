"""Arithmetic on rows of probabilities whose result never depends on the other rows.

A reduction over the class axis adds whole columns one after the other: numpy's own sum may add in another order at
another batch size, and the last bit of a row would then tell how many alerts came with it.
"""

from functools import reduce

import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-12
"""Probabilities are raised to this before a logarithm is taken."""


def row_sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over the last axis, column by column, shape (n, k) -> (n,)."""
    return np.asarray(reduce(np.add, values.T, np.zeros(len(values))))


def row_max(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Maximum over the last axis, shape (n, k) -> (n,)."""
    return np.asarray(values.max(axis=1))


def normalise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of non-negative numbers, divided by their sum."""
    return values / row_sum(values)[:, None]


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of rows of log-scores."""
    return normalise(np.exp(scores - row_max(scores)[:, None]))


def safe_log(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Natural logarithm, of at least `SMALLEST`."""
    return np.asarray(np.log(np.maximum(probabilities, SMALLEST)))
