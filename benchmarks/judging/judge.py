"""What the parts of the benchmark share: how much is done, and what is kept for the plots."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from training.fit_trees import TreesSettings
from training.scores import N_BINS, Bins, confusion, reliability

FEWEST_IN_A_BIN = 12
"""Objects of a set, in the mean, that a bin of its reliability holds."""


@dataclass(frozen=True)
class Told:
    """How often each class was taken for which, and how often the best class is right.

    Parameters
    ----------
    name : of the set.
    classes : names.
    counts : int64 array, shape (n_classes, n_classes), true class by best class.
    bins : by the probability of the best class.
    """

    name: str
    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    bins: Bins


@dataclass
class Judge:
    """A run of the benchmark.

    Parameters
    ----------
    say : is told what is being done.
    seed : of all that is drawn.
    quick : do a little of each part, to see that it works; the figures mean nothing then.
    """

    say: Callable[[str], None]
    seed: int = 1
    quick: bool = False
    told: list[Told] = field(default_factory=list)

    def amount(self, whole: int, little: int = 1) -> int:
        """So much of something, or a little of it."""
        return little if self.quick else whole

    def trees(self, settings: TreesSettings) -> TreesSettings:
        """Trees grown so, or a few."""
        return replace(settings, rounds=self.amount(settings.rounds, 3))

    def some(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows, or some of them."""
        return rows[:: self.amount(1, 20)]

    def keep(
        self, name: str, probabilities: NDArray[np.float64], labels: NDArray[np.int64], classes: Sequence[str]
    ) -> None:
        """Keep what a set was told for the plots and the JSON file; reliability in fewer bins of a small set."""
        bins = min(N_BINS, max(3, len(labels) // FEWEST_IN_A_BIN))
        counts = confusion(probabilities.argmax(axis=1), labels, len(classes))
        self.told.append(Told(name, tuple(classes), counts, reliability(probabilities, labels, bins)))
