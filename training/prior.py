"""Probabilities for a sky whose classes are as frequent as they are, and not as in the training set."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDS = 200
CLOSE = 1e-7
"""The frequencies are found when none of them moves further than this."""


def frequencies(labels: NDArray[np.int64], n_classes: int) -> Array:
    """The share of each class, shape (n_classes,)."""
    return np.asarray(np.bincount(labels, minlength=n_classes) / len(labels), np.float64)


def with_prior(probabilities: Array, trained: Array, prior: Array) -> Array:
    """Probabilities under another prior: Bayes' rule.

    Parameters
    ----------
    probabilities : shape (n, n_classes), of a classifier
    trained : shape (n_classes,), class frequencies of its training set
    prior : shape (n_classes,), those of the sky
    """
    moved = probabilities * (prior / trained)
    return np.asarray(moved / moved.sum(axis=1, keepdims=True))


def adapt(probabilities: Array, trained: Array) -> tuple[Array, Array]:
    """The class frequencies of a sample without labels, and the probabilities under them.

    Expectation maximisation (Saerens, Latinne & Decaestecker 2002, Neural Computation 14, 21): right where classes look
    as in the training set and only their frequencies differ.

    Parameters
    ----------
    probabilities, trained : as for `with_prior`.

    Returns
    -------
    probabilities : shape (n, n_classes)
    prior : shape (n_classes,)
    """
    prior = np.asarray(trained, np.float64)
    for _ in range(ROUNDS):
        moved = with_prior(probabilities, trained, prior)
        before, prior = prior, np.asarray(moved.mean(axis=0))
        if np.abs(prior - before).max() < CLOSE:
            break
    return with_prior(probabilities, trained, prior), prior
