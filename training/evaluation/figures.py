"""The scores of some light curves as `classifiers.evaluation` holds them, rounded."""

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluation import ClassFigures, Figures, Group, Reliability
from training.scores import (
    Bins,
    auc_by_class,
    brier,
    challenge_loss,
    challenge_weights,
    confusion,
    f1_by_class,
    macro_auc,
    macro_f1,
    nll,
    reliability,
)

DIGITS = 5

Probabilities = NDArray[np.float64]
Labels = NDArray[np.int64]


def group(
    name: str,
    probabilities: Probabilities,
    labels: Labels,
    objects: Labels,
    prior: Probabilities,
    class_ids: tuple[int, ...],
    *,
    by_class: bool = False,
    in_bins: bool = False,
) -> Group:
    """All scores of a group of light curves, at least one.

    Parameters
    ----------
    probabilities : shape (n, n_classes)
    labels : shape (n,)
    objects : shape (n,), the object of each light curve.
    prior : shape (n_classes,), the training set's mix.
    class_ids : of all classes.
    by_class, in_bins : whether the scores of each class and the confusion, and the reliability, are told, too.
    """
    weights = challenge_weights(class_ids)
    figures = _figures(probabilities, labels, objects, prior, weights, in_bins)
    if not by_class:
        return Group(name=name, figures=figures)
    counts = confusion(probabilities.argmax(axis=1), labels, len(class_ids))
    return Group(
        name=name,
        figures=figures,
        classes=_classes(counts, auc_by_class(probabilities, labels), class_ids),
        confusion=tuple(tuple(row) for row in counts.tolist()),
    )


def _figures(
    probabilities: Probabilities,
    labels: Labels,
    objects: Labels,
    prior: Probabilities,
    weights: Probabilities,
    in_bins: bool,
) -> Figures:
    best, bins = probabilities.argmax(axis=1), reliability(probabilities, labels)
    return Figures(
        objects=len(np.unique(objects)),
        light_curves=len(labels),
        classes=len(np.unique(labels)),
        nll=_rounded(nll(probabilities, labels)),
        prior_nll=_rounded(nll(np.broadcast_to(prior, probabilities.shape), labels)),
        flat=_rounded(challenge_loss(probabilities, labels, prior, np.ones(len(prior)))),
        weighted=_rounded(challenge_loss(probabilities, labels, prior, weights)),
        brier=_rounded(brier(probabilities, labels)),
        ece=_rounded(bins.ece),
        accuracy=_rounded(float(np.mean(best == labels))),
        macro_f1=_rounded(macro_f1(best, labels)),
        macro_auc=known(macro_auc(probabilities, labels)),
        reliability=in_bins_of(bins) if in_bins else None,
    )


def in_bins_of(bins: Bins) -> Reliability:
    """Means of each bin, None for one that is empty."""
    with np.errstate(invalid="ignore"):
        told, right = bins.told / bins.counts, bins.right / bins.counts
    return Reliability(
        light_curves=tuple(bins.counts.tolist()),
        mean_probability=tuple(map(known, told.tolist())),
        share_right=tuple(map(known, right.tolist())),
    )


def _classes(counts: NDArray[np.int64], areas: Probabilities, class_ids: tuple[int, ...]) -> tuple[ClassFigures, ...]:
    hits, found, true = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    with np.errstate(invalid="ignore"):
        columns = (hits / found, hits / true, np.where(true > 0, f1_by_class(counts), np.nan), areas)
    return tuple(
        ClassFigures(
            class_id=class_id,
            light_curves=int(n),
            **dict(zip(("purity", "completeness", "f1", "auc"), map(known, row), strict=True)),
        )
        for class_id, n, *row in zip(class_ids, true, *(column.tolist() for column in columns), strict=True)
    )


def known(value: float | None) -> float | None:
    """Rounded; None for what isn't known."""
    return None if value is None or np.isnan(value) else _rounded(value)


def _rounded(value: float) -> float:
    return round(value, DIGITS)
