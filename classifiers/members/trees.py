"""Gradient-boosted trees over the feature table (Ke et al. 2017, LightGBM): which group of classes, which class of it.

Classes come in groups, like those inside the Milky Way and those beyond. Each group has a model of its own classes, and
one more model, the gate, says how probable each group is; a class has its group's probability times its own within it.
No column decides about the group, so an alert without a host's redshift has its share in each.
"""

from collections.abc import Mapping, Sequence
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
class Group:
    """Classes that are told from each other by a model of their own.

    Parameters
    ----------
    classes : their indices in the bundle.
    model : of these classes; None where there is one class only.
    """

    classes: tuple[int, ...]
    model: Model | None


@dataclass(frozen=True)
class Trees:
    """LightGBM models of several groups of classes; rows never meet inside them.

    Parameters
    ----------
    n_classes : of the bundle; a class in no group has probability 0.
    groups : the groups of classes.
    gate : says how probable each group is; None where there is one group only.
    """

    n_classes: int
    groups: tuple[Group, ...]
    gate: Model | None

    def predict(self, given: MemberInput) -> MemberOutput:
        """Class probabilities from the feature columns."""
        rows = given.features
        answer = np.zeros((len(rows), self.n_classes))
        if len(rows):
            shares = _answers(self.gate, rows)
            for k, group in enumerate(self.groups):
                answer[:, group.classes] = shares[:, k, None] * _answers(group.model, rows)
        return MemberOutput(normalise(answer) if len(rows) else answer)


def _answers(model: Model | None, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """What a model says; all of it goes to the only one where there is nothing to tell apart."""
    return np.ones((len(rows), 1)) if model is None else normalise(model.probabilities(rows))


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
    """Read the models' text files.

    Parameters
    ----------
    directory : the bundle.
    settings : ``groups``, each with its ``classes`` and the text ``file`` of its model, null where it has one class;
        ``gate``, the text file that tells groups apart, null where there is one group; and the bundle's ``n_features``
        and ``n_classes``.

    Raises
    ------
    ValueError
        If a file isn't a LightGBM model of that many features and classes, or a class isn't in one group at most.
    """
    _check_classes(settings)
    columns = settings["n_features"]
    groups = tuple(_group(directory, group, columns) for group in settings["groups"])
    return Trees(settings["n_classes"], groups, _model(directory, settings["gate"], columns, len(groups)))


def _check_classes(settings: Mapping[str, Any]) -> None:
    classes = [label for group in settings["groups"] for label in group["classes"]]
    if not classes or len(set(classes)) != len(classes):
        raise ValueError(f"its groups {[group['classes'] for group in settings['groups']]} name a class twice, or none")
    if not 0 <= min(classes) <= max(classes) < settings["n_classes"]:
        raise ValueError(
            f"its groups name classes up to {max(classes)}; the manifest has {settings['n_classes']} classes"
        )


def _group(directory: Path, settings: Mapping[str, Any], n_features: int) -> Group:
    classes: Sequence[int] = settings["classes"]
    return Group(tuple(classes), _model(directory, settings["file"], n_features, len(classes)))


def _model(directory: Path, name: str | None, n_features: int, n_classes: int) -> Model | None:
    if name is None:
        if n_classes != 1:
            raise ValueError(f"it names no file of a model that tells {n_classes} classes or groups apart")
        return None
    model = _read(directory / name)
    if (model.n_features, model.n_classes) != (n_features, n_classes):
        found = model.n_features, model.n_classes
        raise ValueError(f"{name} has (features, classes) {found}; the manifest has {n_features, n_classes}")
    return model


def _read(path: Path) -> Model:
    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is no LightGBM text model: {error}") from error
    return read_forest(text) or _boosted(path.name, text)


def _boosted(name: str, text: str) -> Boosted:
    import lightgbm

    try:
        return Boosted(lightgbm.Booster(model_str=text))
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(f"{name} is no LightGBM text model: {error}") from error


CLASSIFIER = MemberKind("trees", load)
