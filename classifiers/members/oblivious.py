"""Gradient-boosted oblivious trees over the feature table (Prokhorenkova et al. 2018, CatBoost), from plain arrays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers._oblivious import ObliviousForest
from classifiers._rows import softmax
from classifiers.member import MemberInput, MemberKind, MemberOutput

ARRAYS = ("columns", "borders", "leaves")
"""The arrays of a member's file; see `ObliviousForest`."""


@dataclass(frozen=True)
class Oblivious:
    """Oblivious trees of several classes."""

    forest: ObliviousForest

    def predict(self, given: MemberInput) -> MemberOutput:
        """Class probabilities from the feature columns."""
        return MemberOutput(softmax(self.forest.scores(given.features)))


def load(directory: Path, settings: dict[str, Any]) -> Oblivious:
    """Read the arrays.

    Parameters
    ----------
    directory : the bundle.
    settings : ``file``, the .npz file; and the bundle's ``n_features`` and ``n_classes``.

    Raises
    ------
    ValueError
        If the file doesn't hold trees of that many features and classes.
    """
    name = settings["file"]
    columns, borders, leaves = _arrays(directory / name)
    if borders.shape != columns.shape or leaves.shape[:2] != (len(columns), 1 << columns.shape[1]):
        shapes = f"{columns.shape}, {borders.shape}, {leaves.shape}"
        raise ValueError(f"{name}: columns, borders and leaves of shapes {shapes} don't fit each other")
    if columns.size and not 0 <= columns.min() <= columns.max() < settings["n_features"]:
        raise ValueError(f"{name} asks about other columns than the manifest's {settings['n_features']} features")
    if leaves.shape[2] != settings["n_classes"]:
        raise ValueError(f"{name} has {leaves.shape[2]} classes; the manifest has {settings['n_classes']}")
    return Oblivious(ObliviousForest(settings["n_features"], columns, borders, leaves))


def _arrays(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            columns, borders, leaves = (stored[name] for name in ARRAYS)
    except Exception as error:  # numpy and zipfile raise classes of their own for each kind of broken file
        raise ValueError(f"{path.name} is no file of arrays {', '.join(ARRAYS)}: {error}") from error
    if (columns.ndim, borders.ndim, leaves.ndim) != (2, 2, 3):
        raise ValueError(f"{path.name} doesn't hold trees")
    return columns.astype(np.int64), borders.astype(np.float32), leaves.astype(np.float32)


CLASSIFIER = MemberKind("oblivious", load)
