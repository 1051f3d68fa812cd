"""Gradient-boosted trees over the feature table (Ke et al. 2017, LightGBM)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classifiers._rows import normalise
from classifiers.member import MemberInput, MemberKind, MemberOutput


@dataclass(frozen=True)
class Trees:
    """A LightGBM model of several classes; rows never meet inside it."""

    booster: Any

    def predict(self, given: MemberInput) -> MemberOutput:
        """Class probabilities from the feature columns."""
        n_classes = self.booster.num_model_per_iteration()
        if not len(given.features):
            return MemberOutput(np.zeros((0, n_classes)))
        probabilities = self.booster.predict(given.features, num_threads=1, validate_features=False)
        return MemberOutput(normalise(np.asarray(probabilities, np.float64)))


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
    import lightgbm

    path = directory / settings["file"]
    try:
        booster = lightgbm.Booster(model_str=path.read_text())
    except (UnicodeDecodeError, lightgbm.basic.LightGBMError) as error:
        raise ValueError(f"{path.name} is no LightGBM text model: {error}") from error
    found = booster.num_feature(), booster.num_model_per_iteration()
    expected = settings["n_features"], settings["n_classes"]
    if found != expected:
        raise ValueError(f"{path.name} has (features, classes) {found}; the manifest has {expected}")
    return Trees(booster)


CLASSIFIER = MemberKind("trees", load)
