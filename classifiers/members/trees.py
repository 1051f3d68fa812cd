"""Gradient-boosted trees over the feature table (Ke et al. 2017, LightGBM)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers._lightgbm_text import read_forest
from classifiers._rows import normalise
from classifiers.member import MemberInput, MemberKind, MemberOutput


class Model(Protocol):
    """What answers for the trees: `classifiers._forest` where it can, which gives LightGBM's bits, or LightGBM."""

    @property
    def n_features(self) -> int:
        """Number of feature columns."""
        ...

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        ...

    def probabilities(self, rows: NDArray[np.float32], /) -> NDArray[np.float64]:
        """Class probabilities of at least one row, shape (n, n_features) -> (n, n_classes)."""
        ...


@dataclass(frozen=True)
class Trees:
    """A LightGBM model of several classes; rows never meet inside it."""

    model: Model

    def predict(self, given: MemberInput) -> MemberOutput:
        """Class probabilities from the feature columns."""
        if not len(given.features):
            return MemberOutput(np.zeros((0, self.model.n_classes)))
        return MemberOutput(normalise(self.model.probabilities(given.features)))


@dataclass(frozen=True)
class Boosted:
    """A model in LightGBM."""

    booster: Any

    @property
    def n_features(self) -> int:
        """Number of feature columns."""
        return int(self.booster.num_feature())

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.booster.num_model_per_iteration())

    def probabilities(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Class probabilities of rows, on one thread."""
        return np.asarray(self.booster.predict(rows, num_threads=1, validate_features=False), np.float64)


def load(directory: Path, settings: dict[str, Any]) -> Trees:
    """Read the model's text file.

    Parameters
    ----------
    directory : the bundle.
    settings : ``file``, the text file; and the bundle's ``n_features`` and ``n_classes``.

    Raises
    ------
    ValueError
        If the file isn't a LightGBM model of that many features and classes.
    """
    path = directory / settings["file"]
    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is no LightGBM text model: {error}") from error
    model = read_forest(text) or _boosted(path.name, text)
    found = model.n_features, model.n_classes
    expected = settings["n_features"], settings["n_classes"]
    if found != expected:
        raise ValueError(f"{path.name} has (features, classes) {found}; the manifest has {expected}")
    return Trees(model)


def _boosted(name: str, text: str) -> Boosted:
    import lightgbm

    try:
        return Boosted(lightgbm.Booster(model_str=text))
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(f"{name} is no LightGBM text model: {error}") from error


CLASSIFIER = MemberKind("trees", load)
