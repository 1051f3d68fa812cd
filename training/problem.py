"""What is fitted: columns, classes and their groups, and how each member goes about it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classifiers.taxonomy import GALACTIC_TARGETS, PLASTICC_TARGETS
from training.fit_oblivious import ObliviousSettings
from training.fit_recurrent import RecurrentSettings
from training.fit_trees import TreesSettings


@dataclass(frozen=True)
class ClassGroup:
    """Classes that the trees tell apart by a model of their own.

    Parameters
    ----------
    name : what files are called by.
    classes : their indices, rising.
    """

    name: str
    classes: tuple[int, ...]


def _by_place() -> tuple[ClassGroup, ...]:
    """The classes of PLAsTiCC inside the Milky Way, and those beyond."""
    inside = tuple(k for k, target in enumerate(PLASTICC_TARGETS) if target in GALACTIC_TARGETS)
    beyond = tuple(k for k, target in enumerate(PLASTICC_TARGETS) if target not in GALACTIC_TARGETS)
    return ClassGroup("galactic", inside), ClassGroup("extragalactic", beyond)


@dataclass(frozen=True)
class Problem:
    """What is fitted, and how.

    Parameters
    ----------
    names : the feature columns.
    n_classes : number of classes.
    groups : every class in one of them.
    trees, recurrent, oblivious : how the members are fitted.
    folds : of the out-of-fold predictions that weights and calibration come from.
    seed : of all that is drawn.
    """

    names: tuple[str, ...]
    n_classes: int = len(PLASTICC_TARGETS)
    groups: tuple[ClassGroup, ...] = field(default_factory=_by_place)
    trees: TreesSettings = field(default_factory=TreesSettings)
    recurrent: RecurrentSettings = field(default_factory=RecurrentSettings)
    oblivious: ObliviousSettings = field(default_factory=ObliviousSettings)
    folds: int = 3
    seed: int = 1

    def group_of_classes(self) -> NDArray[np.int64]:
        """Index of the group of each class, shape (n_classes,)."""
        found = np.zeros(self.n_classes, np.int64)
        for k, group in enumerate(self.groups):
            found[list(group.classes)] = k
        return found
