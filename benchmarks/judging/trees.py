"""Small trees over a table, apart for what lies in the Milky Way and beyond: the best gain for its cost."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.judging.tables import Table
from classifiers.taxonomy import PLASTICC_TARGETS
from training.fit_trees import TreesSettings, fit_trees

LEAST = 1e-6
"""The probability of a class that no object of the training set has on this side of the Milky Way's edge."""


def split_trees(known: Table, asked: Table, seed: int, settings: TreesSettings | None = None) -> NDArray[np.float64]:
    """Probabilities of other objects' classes, shape (n, n_classes)."""
    told = np.full((len(asked.labels), len(PLASTICC_TARGETS)), LEAST)
    for galactic in (True, False):
        rows, here = np.flatnonzero(known.galactic == galactic), np.flatnonzero(asked.galactic == galactic)
        if len(here):
            classes = np.unique(known.labels[rows])
            told[np.ix_(here, classes)] = _probabilities(
                known.matrix[rows], np.searchsorted(classes, known.labels[rows]), asked.matrix[here], seed, settings
            )
    told = np.maximum(told, LEAST)
    return np.asarray(told / told.sum(axis=1, keepdims=True))


def _probabilities(
    known: NDArray[np.float32],
    labels: NDArray[np.int64],
    asked: NDArray[np.float32],
    seed: int,
    settings: TreesSettings | None,
) -> NDArray[np.float64]:
    import lightgbm

    names = tuple(f"column{number}" for number in range(known.shape[1]))
    text = fit_trees(
        known, names, labels, n_classes=int(labels.max()) + 1, settings=settings or TreesSettings(), seed=seed
    )
    return np.asarray(lightgbm.Booster(model_str=text).predict(asked, num_threads=1), np.float64)
