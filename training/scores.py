"""Scores of class probabilities against the true classes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers._rows import SMALLEST, normalise, safe_log
from classifiers.taxonomy import BY_ID

N_BINS = 15
"""Bins of the best class's probability."""

TWICE = (15, 64)
"""The PLAsTiCC targets, tidal disruptions and kilonovae, that count twice in its score, as does 99."""


@dataclass(frozen=True)
class Scores:
    """The scores of n light curves; means over classes are over the classes present."""

    light_curves: int
    nll: float
    prior_nll: float
    accuracy: float
    macro_f1: float
    macro_auc: float | None
    ece: float

    def rounded(self) -> dict[str, float | int | None]:
        """The scores as a mapping, to four decimals."""
        return {name: round(x, 4) if isinstance(x, float) else x for name, x in asdict(self).items()}


def score(probabilities: NDArray[np.float64], labels: NDArray[np.int64], prior: NDArray[np.float64]) -> Scores:
    """All scores of some light curves.

    Parameters
    ----------
    probabilities : float64 array, shape (n, n_classes)
    labels : int64 array, shape (n,)
    prior : float64 array, shape (n_classes,)
        The training set's class shares; `Scores.prior_nll` is the log-loss of always answering with them.
    """
    best = probabilities.argmax(axis=1)
    return Scores(
        light_curves=len(labels),
        nll=nll(probabilities, labels),
        prior_nll=nll(np.tile(prior, (len(labels), 1)), labels),
        accuracy=float(np.mean(best == labels)),
        macro_f1=macro_f1(best, labels),
        macro_auc=macro_auc(probabilities, labels),
        ece=ece(probabilities, labels),
    )


def nll(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Mean negative log-likelihood of the true classes [nat]."""
    return float(-safe_log(probabilities)[np.arange(len(labels)), labels].mean())


def challenge_loss(
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    prior: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> float:
    """PLAsTiCC's log-loss, a mean over the classes present, whatever their sizes (Malz et al. 2019, AJ 158, 171).

    Parameters
    ----------
    probabilities : shape (n, n_classes), of classes as frequent as `prior` says. They are divided by it and multiplied
        by the weights, as one answers who knows how the score is made; a class that it doesn't have gets nothing.
    labels : shape (n,)
    prior, weights : shape (n_classes,)
    """
    ratios = np.divide(weights, prior, out=np.zeros(len(prior)), where=prior > 0)
    asked = np.maximum(probabilities * ratios, SMALLEST)
    losses = -safe_log(normalise(asked))[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=len(weights))
    present = counts > 0
    by_class = np.bincount(labels, losses, len(weights))[present] / counts[present]
    return float(by_class @ weights[present] / weights[present].sum())


def challenge_weights(class_ids: Sequence[int]) -> NDArray[np.float64]:
    """What each class, by its DESC id, counts in PLAsTiCC's score."""
    return np.array([2.0 if BY_ID[class_id].plasticc in TWICE else 1.0 for class_id in class_ids])


def brier(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Mean over rows of the squared differences from the truth, summed over classes (Brier 1950), 0 to 2."""
    squares = (probabilities**2).sum(axis=1)
    return float(np.mean(squares - 2.0 * probabilities[np.arange(len(labels)), labels] + 1.0))


def confusion(predicted: NDArray[np.int64], labels: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Counts by true class (row) and best class (column), shape (n_classes, n_classes)."""
    from sklearn.metrics import confusion_matrix

    return np.asarray(confusion_matrix(labels, predicted, labels=np.arange(n_classes)), np.int64)


def f1_by_class(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 of each class from a confusion matrix, 0 where nothing of it was found; NaN where it is nowhere."""
    with np.errstate(invalid="ignore"):
        return np.asarray(2.0 * np.diag(counts) / (counts.sum(axis=0) + counts.sum(axis=1)))


def auc_by_class(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Area under the ROC curve of each class against the rest, by ranks (Mann & Whitney 1947), shape (n_classes,).

    NaN for a class that no row is of, or every row.
    """
    from scipy.stats import rankdata

    n, n_classes = probabilities.shape
    counts = np.bincount(labels, minlength=n_classes)
    own = rankdata(probabilities, axis=0)[np.arange(n), labels]
    above = np.bincount(labels, own, n_classes) - counts * (counts + 1) / 2.0
    with np.errstate(invalid="ignore"):
        return np.asarray(above / (counts * (n - counts)))


def macro_f1(predicted: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Mean F1 of the classes that occur among the labels."""
    n_classes = max(2, int(predicted.max()) + 1, int(labels.max()) + 1)
    return float(f1_by_class(confusion(predicted, labels, n_classes))[np.unique(labels)].mean())


def macro_auc(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float | None:
    """Mean area under the ROC curve, each class that occurs against the rest; None with one class only."""
    areas = auc_by_class(probabilities, labels)
    return None if np.isnan(areas).all() else float(np.nanmean(areas))


@dataclass(frozen=True)
class Bins:
    """Light curves in equal bins of the best class's probability: how many, their sum of it, and how many are right."""

    counts: NDArray[np.int64]
    told: NDArray[np.float64]
    right: NDArray[np.float64]

    @property
    def ece(self) -> float:
        """Expected calibration error (Naeini et al. 2015, AAAI 29, eq. 3)."""
        return float(np.abs(self.right - self.told).sum() / self.counts.sum())


def reliability(probabilities: NDArray[np.float64], labels: NDArray[np.int64], n_bins: int = N_BINS) -> Bins:
    """How often the best class is right, by how probable it is told to be."""
    top = probabilities.max(axis=1)
    hit = probabilities.argmax(axis=1) == labels
    bins = np.minimum((top * n_bins).astype(int), n_bins - 1)
    counts = np.bincount(bins, minlength=n_bins).astype(np.int64)
    told, right = (np.bincount(bins, values, n_bins).astype(np.float64) for values in (top, hit))
    return Bins(counts, told, right)


def ece(probabilities: NDArray[np.float64], labels: NDArray[np.int64], n_bins: int = N_BINS) -> float:
    """Expected calibration error of the most probable class; see `Bins.ece`."""
    return reliability(probabilities, labels, n_bins).ece
