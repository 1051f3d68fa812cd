"""The scores that challenges were judged by."""

import numpy as np
from numpy.typing import NDArray

from training import scores
from training.prior import frequencies

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def challenge_loss(probabilities: Array, labels: Labels, weights: Array) -> float:
    """The weighted log-loss of PLAsTiCC (Malz et al. 2019, AJ 158, 171): a mean over classes, whatever their sizes.

    Parameters
    ----------
    probabilities : shape (n, n_classes), of classes as frequent as they are in `labels`; they are divided by these
        frequencies and multiplied by the weights, as one answers who knows how the score is made.
    labels : shape (n,), class indices; classes that aren't among them don't count.
    weights : shape (n_classes,)
    """
    return scores.challenge_loss(probabilities, labels, frequencies(labels, len(weights)), weights)


def best_f1(probability: Array, true: NDArray[np.bool_]) -> tuple[float, float]:
    """The largest F1 of one class against the rest, and the threshold that gives it."""
    order = np.argsort(-probability, kind="stable")
    found = np.cumsum(true[order])
    f1 = 2.0 * found / (np.arange(1, len(true) + 1) + true.sum())
    best = int(np.argmax(f1))
    return float(f1[best]), float(probability[order[best]])


def f1_at(threshold: float, probability: Array, true: NDArray[np.bool_]) -> float:
    """F1 of one class against the rest where the probability reaches a threshold."""
    chosen = probability >= threshold
    total = int(chosen.sum() + true.sum())
    return float(2.0 * (chosen & true).sum() / total) if total else 0.0
