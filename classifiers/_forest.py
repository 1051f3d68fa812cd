"""Small decision trees as flat arrays, and the compiled look-up of what all of them say of all rows.

No tree is walked: each of its splits is asked, and one that sends a row to the right strikes out the leaves on its
left. The leftmost leaf that remains is the one where a walk would end (Lucchese et al. 2015, QuickScorer,
doi:10.1145/2766462.2767733). Without branches, a split is asked for a block of rows in a few vector instructions.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features._jit import frozen, kernel

MOST_LEAVES = 32
"""The most leaves of a tree: one bit each."""

_BLOCK = 64
"""Rows that a split is asked for at once. Much fewer aren't worth vector instructions, much more leave the cache."""

_ZERO = np.float32(1e-35)
"""LightGBM takes what is this small for 0 (its kZeroThreshold)."""

_ALL = np.uint32(0xFFFFFFFF)
_ONE = np.uint32(1)
_DE_BRUIJN, _SHIFT = np.uint32(0x077CB531), np.uint32(27)
_PLACES = np.zeros(MOST_LEAVES, np.int64)
_PLACES[[(0x077CB531 << place & 0xFFFFFFFF) >> 27 for place in range(MOST_LEAVES)]] = np.arange(MOST_LEAVES)
"""The place of a number's only bit, at the number times a de Bruijn sequence (Leiserson et al. 1998)."""


@dataclass(frozen=True)
class Forest:
    """Trees of several classes; rows never meet inside it.

    Parameters
    ----------
    n_features, n_classes : tree ``t`` speaks of class ``t % n_classes``.
    bounds : int64 array, shape (2 * n_trees + 1,)
        Tree ``t`` has the splits ``bounds[2 * t]:bounds[2 * t + 1]``, where a NaN goes left, and from there to
        ``bounds[2 * t + 2]`` those where it goes right.
    columns : int64 array, shape (n_splits,)
        Index of the feature that a split asks about.
    thresholds : float32 array, shape (n_splits,)
        What is at most this goes left.
    kept : uint32 array, shape (n_splits,)
        The leaves, as bits from the left, that a step to the right leaves over.
    leaves : float64 array, shape (n_splits + n_trees,)
        Values of the leaves, tree by tree, from the left.
    """

    n_features: int
    n_classes: int
    bounds: NDArray[np.int64]
    columns: NDArray[np.int64]
    thresholds: NDArray[np.float32]
    kept: NDArray[np.uint32]
    leaves: NDArray[np.float64]

    def probabilities(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Class probabilities of rows, shape (n, n_features) -> (n, n_classes): the bits of LightGBM's answer."""
        scores = np.zeros((len(rows), self.n_classes))
        _add_up(
            frozen(self._in_blocks(rows)),
            frozen(self.bounds),
            frozen(self.columns),
            frozen(self.thresholds),
            frozen(self.kept),
            frozen(self.leaves),
            scores,
        )
        _softmax(scores)
        return scores

    def _in_blocks(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows as shape (n_blocks, n_features, _BLOCK), the last block filled up with zeros."""
        n_blocks = -(-len(rows) // _BLOCK)
        padded = np.zeros((n_blocks * _BLOCK, self.n_features), np.float32)
        padded[: len(rows)] = rows
        padded[np.abs(padded) <= _ZERO] = 0
        return padded.reshape(n_blocks, _BLOCK, self.n_features).transpose(0, 2, 1)


@kernel
def _add_up(
    blocks: NDArray[np.float32],
    bounds: NDArray[np.int64],
    columns: NDArray[np.int64],
    thresholds: NDArray[np.float32],
    kept: NDArray[np.uint32],
    leaves: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> None:
    """Add the leaf of every tree to each row's scores, in the order of the trees."""
    n_classes = scores.shape[1]
    alive = np.empty(_BLOCK, np.uint32)
    for block in range(len(blocks)):
        first = block * _BLOCK
        for tree in range(len(bounds) // 2):
            start, turn, end = bounds[2 * tree], bounds[2 * tree + 1], bounds[2 * tree + 2]
            alive[:] = _ALL
            for split in range(start, turn):
                values, threshold, mask = blocks[block, columns[split]], thresholds[split], kept[split]
                for row in range(_BLOCK):
                    alive[row] &= mask if values[row] > threshold else _ALL
            for split in range(turn, end):
                values, threshold, mask = blocks[block, columns[split]], thresholds[split], kept[split]
                for row in range(_BLOCK):
                    alive[row] &= _ALL if values[row] <= threshold else mask
            for row in range(min(_BLOCK, len(scores) - first)):
                lowest = alive[row] & (~alive[row] + _ONE)
                place = _PLACES[np.uint32(lowest * _DE_BRUIJN) >> _SHIFT]
                scores[first + row, tree % n_classes] += leaves[start + tree + place]


@kernel
def _softmax(scores: NDArray[np.float64]) -> None:
    """Probabilities instead of scores, rounded as LightGBM rounds them: libm's exponentials, added from the left."""
    for row in scores:
        highest = row.max()
        total = 0.0
        for k in range(len(row)):
            row[k] = math.exp(row[k] - highest)
            total += row[k]
        for k in range(len(row)):
            row[k] /= total
