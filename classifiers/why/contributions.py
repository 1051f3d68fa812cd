"""What does each feature say for a class? Exact Shapley values of the trees.

LightGBM has them by TreeSHAP (Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9).

A model of several classes has a score for each, and a probability follows from their differences alone: all scores may
rise together and nothing changes. So a feature's contribution to a class is what it adds to the score of that class
less what it adds to the scores of the others, in the mean by their probabilities for this alert. Contributions and base
add up to that difference of scores: the log-odds of the class, and the entropy of the others among themselves.

Trees in groups ask two questions, which group and which class of it, and p = p(group) p(class | group). Each question's
own sum, as above, counts with a share: (1 - p(group)) / (1 - p) and (1 - p(class | group)) / (1 - p). These are how the
log-odds of p follow a small change of each question's own log-odds, so that what is settled has little weight. The
total is then no log-odds of p, and totals of two classes can't be compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers._rows import row_max, row_sum
from classifiers.bundle import Bundle
from classifiers.manifest import Manifest, MemberEntry

TREES = "trees"
"""The kind of member whose contributions are exact."""


@dataclass(frozen=True)
class Contributions:
    """What features say for one class of each of n alerts, in natural logarithms.

    Parameters
    ----------
    features : float64 array, shape (n, n_features)
        In the order of the bundle's features; NaN where the trees don't know the class.
    base : float64 array, shape (n,)
        What is said without any feature.
    """

    features: NDArray[np.float64]
    base: NDArray[np.float64]

    @property
    def total(self) -> NDArray[np.float64]:
        """Base and contributions added up, shape (n,)."""
        return self.base + row_sum(self.features)


@dataclass(frozen=True)
class _Said:
    """What a model says for one of its classes, a row an alert.

    Parameters
    ----------
    parts : shape (n, n_features + 1), the base last.
    own, open_ : logarithms of the probability of the class, and of all others together, shape (n,).
    """

    parts: NDArray[np.float64]
    own: NDArray[np.float64]
    open_: NDArray[np.float64]


def trees_of(manifest: Manifest) -> MemberEntry | None:
    """The member whose contributions are told: the first one of trees; None where there is none."""
    return next((member for member in manifest.members if member.kind == TREES), None)


def contributions(rows: NDArray[np.float32], classes: NDArray[np.int64], bundle: Bundle) -> Contributions:
    """What each feature says for one class of each alert; a row depends on its own alert only, bit for bit.

    Parameters
    ----------
    rows : float32 array, shape (n, n_features)
        The bundle's features, NaN where undefined.
    classes : int64 array, shape (n,)
        Index of a class of the bundle for each alert.

    Raises
    ------
    ValueError
        If the bundle has no trees.
    """
    entry = trees_of(bundle.manifest)
    if entry is None:
        raise ValueError(f"bundle {bundle.name!r} has no member of kind {TREES!r}, whose contributions could be told")
    parts = np.full((len(rows), rows.shape[1] + 1), np.nan)
    boosters = _boosters(bundle)
    for place, group in enumerate(entry.settings["groups"]):
        members = np.asarray(group["classes"], np.int64)
        chosen = np.flatnonzero(np.isin(classes, members))
        if len(chosen):
            within = np.argmax(classes[chosen, None] == members, axis=1)
            gate = _said(boosters.get(entry.settings["gate"]), rows[chosen], np.full(len(chosen), place))
            parts[chosen] = _together(gate, _said(boosters.get(group["file"]), rows[chosen], within))
    return Contributions(parts[:, :-1], parts[:, -1])


def shapley_values(booster: Any, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """What each feature adds to the score of every class of a LightGBM model, shape (n, n_classes, n_features + 1).

    The last is the base: the mean score of what the model was fitted on. All of a class add up to its score.
    """
    values = booster.predict(rows, pred_contrib=True, num_threads=1, validate_features=False)
    return np.asarray(values, np.float64).reshape(len(rows), -1, rows.shape[1] + 1)


def _together(gate: _Said, within: _Said) -> NDArray[np.float64]:
    """Both questions, each by how the log-odds of the class follow it."""
    against = np.logaddexp(gate.open_, gate.own + within.open_)
    return np.exp(gate.open_ - against)[:, None] * gate.parts + np.exp(within.open_ - against)[:, None] * within.parts


def _said(booster: Any, rows: NDArray[np.float32], classes: NDArray[np.int64]) -> _Said:
    n, width = len(rows), rows.shape[1] + 1
    if booster is None:  # there is nothing to tell apart, and nothing is open
        return _Said(np.zeros((n, width)), np.zeros(n), np.full(n, -np.inf))
    values = shapley_values(booster, rows)
    scores = row_sum(values.reshape(-1, width)).reshape(n, -1)
    each = np.arange(n)
    own, others = scores[each, classes], scores.copy()
    others[each, classes] = -np.inf
    highest = row_max(others)
    weights = np.exp(others - highest[:, None])
    total = row_sum(weights)
    mean = reduce(np.add, ((weights[:, k] / total)[:, None] * values[:, k] for k in range(scores.shape[1])))
    rest = highest + np.log(total)
    every = np.logaddexp(own, rest)
    return _Said(values[each, classes] - mean, own - every, rest - every)


@lru_cache(maxsize=4)
def _boosters(bundle: Bundle) -> Mapping[str, Any]:
    """The trees' models by file name, in LightGBM: made when they are first asked for, since that takes a while."""
    import lightgbm

    entry = trees_of(bundle.manifest)
    return {name: lightgbm.Booster(model_file=bundle.path / name) for name in (entry.files if entry else ())}
