"""Folds in which every class has its share."""

import numpy as np
from numpy.typing import NDArray


def stratified(labels: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """A fold of each object, shape (n,); the objects of each class are spread evenly."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        fold[rng.permutation(rows)] = (np.arange(len(rows)) + rng.integers(folds)) % folds
    return fold
