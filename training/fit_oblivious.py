"""Fits the oblivious member: CatBoost grows the trees, the bundle gets them as arrays."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNSEEN = -20.0
"""The score of a class without rows: a probability of some 1e-9."""


@dataclass(frozen=True)
class ObliviousSettings:
    """How the trees are grown. Half of the rows and a fifth of the columns a level cost little and save most time."""

    rounds: int = 400
    depth: int = 6
    learning_rate: float = 0.12
    l2: float = 5.0
    borders: int = 48
    column_fraction: float = 0.2
    row_fraction: float = 0.5


def fit_oblivious(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    n_classes: int,
    settings: ObliviousSettings,
    seed: int,
    tick: Callable[[], None] = lambda: None,
) -> dict[str, NDArray[Any]]:
    """Fit CatBoost and return its trees as the arrays of `classifiers._oblivious.ObliviousForest`.

    The same arrays for the same input, seed and CatBoost version.

    Parameters
    ----------
    features : float32 array, shape (n, n_features)
    labels : int64 array, shape (n,)
        Class index of each row.
    tick : called after each of ``settings.rounds`` rounds.
    """
    import catboost

    model = catboost.CatBoostClassifier(**_params(settings, seed))
    model.fit(features, labels, callbacks=[_Ticks(tick)])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trees.json"
        model.save_model(str(path), format="json")
        return _arrays(json.loads(path.read_text()), model.classes_, n_classes, settings.depth)


class _Ticks:
    """What CatBoost calls after each round."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick

    def after_iteration(self, _info: Any) -> bool:
        """Go on."""
        self._tick()
        return True


def _params(settings: ObliviousSettings, seed: int) -> dict[str, Any]:
    return {
        "loss_function": "MultiClass",
        "iterations": settings.rounds,
        "depth": settings.depth,
        "learning_rate": settings.learning_rate,
        "l2_leaf_reg": settings.l2,
        "border_count": settings.borders,
        "rsm": settings.column_fraction,
        "bootstrap_type": "Bernoulli",
        "subsample": settings.row_fraction,
        "leaf_estimation_iterations": 1,
        "random_seed": seed,
        "thread_count": 1,
        "allow_writing_files": False,
        "verbose": 0,
    }


def _arrays(model: dict[str, Any], classes: Any, n_classes: int, depth: int) -> dict[str, NDArray[Any]]:
    """The trees of CatBoost's JSON; a tree of fewer levels asks nothing on the others.

    Parameters
    ----------
    classes : those that had rows, in the order of the leaves' numbers; the others get a score that no sum makes up for.
    """
    trees, (scale, bias) = model["oblivious_trees"], model["scale_and_bias"]
    columns = np.zeros((len(trees), depth), np.int16)
    borders = np.full((len(trees), depth), np.inf, np.float32)
    leaves = np.zeros((len(trees), 1 << depth, n_classes), np.float32)
    for k, tree in enumerate(trees):
        levels = len(tree["splits"])
        columns[k, :levels] = [split["float_feature_index"] for split in tree["splits"]]
        borders[k, :levels] = [split["border"] for split in tree["splits"]]
        leaves[k, : 1 << levels, classes] = scale * np.reshape(tree["leaf_values"], (1 << levels, len(classes))).T
    leaves[0, :, classes] += np.reshape(bias, (-1, 1))
    leaves[0][:, np.setdiff1d(np.arange(n_classes), classes)] = UNSEEN
    return {"columns": columns, "borders": borders, "leaves": leaves}
