"""Fits the trees member."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TreesSettings:
    """How the trees are grown: small and many, on plain (unweighted) light curves."""

    rounds: int = 250
    leaves: int = 8
    learning_rate: float = 0.05
    feature_fraction: float = 0.3
    l2: float = 3.0
    min_in_leaf: int = 20


def fit_trees(
    features: NDArray[np.float32],
    names: tuple[str, ...],
    labels: NDArray[np.int64],
    *,
    n_classes: int,
    settings: TreesSettings,
    seed: int,
    tick: Callable[[], None] = lambda: None,
) -> str:
    """Fit LightGBM and return the model as text; the same bytes for the same input, seed and LightGBM version.

    Parameters
    ----------
    features : float32 array, shape (n, n_features)
    names : the features' names.
    labels : int64 array, shape (n,)
        Class index of each row.
    tick : called after each of ``settings.rounds`` rounds.
    """
    import lightgbm

    data = lightgbm.Dataset(features, labels, feature_name=list(names), params=_params(n_classes, settings, seed))
    booster = lightgbm.train(_params(n_classes, settings, seed), data, settings.rounds, callbacks=[lambda _: tick()])
    return _without_record(booster.model_to_string(importance_type="gain"))


def _params(n_classes: int, settings: TreesSettings, seed: int) -> dict[str, Any]:
    return {
        "objective": "multiclass",
        "num_class": n_classes,
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "feature_fraction": settings.feature_fraction,
        "lambda_l2": settings.l2,
        "min_data_in_leaf": settings.min_in_leaf,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def _without_record(model: str) -> str:
    """The model without what follows its trees: settings, of which the number of threads is no part of the model."""
    return model.partition("\nfeature_importances:")[0] + "\n"
