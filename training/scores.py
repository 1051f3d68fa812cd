"""Scores of class probabilities against the true classes."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers._rows import safe_log


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


def macro_f1(predicted: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Mean F1 of the classes that occur among the labels."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0))


def macro_auc(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float | None:
    """Mean area under the ROC curve, each class that occurs against the rest; None with one class only."""
    from sklearn.metrics import roc_auc_score

    present = np.unique(labels)
    if len(present) < 2:  # noqa: PLR2004  a curve needs two sides
        return None
    return float(np.mean([roc_auc_score(labels == k, probabilities[:, k]) for k in present]))


def ece(probabilities: NDArray[np.float64], labels: NDArray[np.int64], n_bins: int = 15) -> float:
    """Expected calibration error of the most probable class, in equal bins of its probability.

    Naeini et al. 2015 (AAAI 29), eq. 3.
    """
    top = probabilities.max(axis=1)
    hit = probabilities.argmax(axis=1) == labels
    bins = np.minimum((top * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, hit, n_bins) - np.bincount(bins, top, n_bins)
    return float(np.abs(gaps).sum() / len(labels))
