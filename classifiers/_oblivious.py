"""Oblivious trees as flat arrays: all splits of a level ask the same, so a leaf is a number with a bit a level."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features._jit import frozen, kernel


@dataclass(frozen=True)
class ObliviousForest:
    """Trees of one depth that each speak of all classes; rows never meet inside it.

    Parameters
    ----------
    n_features : number of columns that rows have.
    columns : int64 array, shape (n_trees, depth)
        Index of the feature that a level asks about.
    borders : float32 array, shape (n_trees, depth)
        What is above this sets the level's bit; a NaN never does.
    leaves : float32 array, shape (n_trees, 2**depth, n_classes)
        What a leaf adds to the score of each class.
    """

    n_features: int
    columns: NDArray[np.int64]
    borders: NDArray[np.float32]
    leaves: NDArray[np.float32]

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.leaves.shape[2])

    def scores(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores whose softmax is the answer, shape (n, n_features) -> (n, n_classes)."""
        scores = np.zeros((len(rows), self.n_classes))
        _add_up(frozen(rows), frozen(self.columns), frozen(self.borders), frozen(self.leaves), scores)
        return scores


@kernel
def _add_up(
    rows: NDArray[np.float32],
    columns: NDArray[np.int64],
    borders: NDArray[np.float32],
    leaves: NDArray[np.float32],
    scores: NDArray[np.float64],
) -> None:
    """Add the leaf of every tree to each row's scores, in the order of the trees."""
    n_trees, depth = columns.shape
    for row in range(len(rows)):
        for tree in range(n_trees):
            leaf = 0
            for level in range(depth):
                leaf |= int(rows[row, columns[tree, level]] > borders[tree, level]) << level
            for k in range(scores.shape[1]):
                scores[row, k] += leaves[tree, leaf, k]
