"""Several members' answers in one: a fold's weights and temperature from what is said of the other folds."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.judging.tables import Table
from classifiers._rows import safe_log, softmax
from classifiers.calibration import calibrate
from classifiers.predict import combine
from training.scores import nll

Array = NDArray[np.float64]
Member = Callable[[Table, Table], Array]
"""From objects to learn from and others, to the others' probabilities."""

BLEND = "blend"


@dataclass(frozen=True)
class Blend:
    """How members are blended: their weights in the geometric mean, and the temperature of it."""

    weights: list[float]
    temperature: float

    @classmethod
    def fit(cls, answers: list[Array], labels: NDArray[np.int64]) -> "Blend":
        """The best for some objects that no member has learned from.

        Weights and temperature are fitted together, as a power of each member's probabilities, a convex problem: one
        after the other, a flat member would get weight to cool the others, or none because it is too sure of itself.
        """
        logs = np.stack([safe_log(answer) for answer in answers])

        def loss(powers: Array) -> tuple[float, Array]:
            scores = np.tensordot(powers, logs, 1)
            slopes = (logs * softmax(scores)).sum(axis=2) - logs[:, np.arange(len(labels)), labels]
            return nll(softmax(scores), labels), slopes.mean(axis=1)

        begin = np.full(len(answers), 1 / len(answers))
        powers = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(answers)).x
        return cls([float(power) for power in powers / powers.sum()], float(1 / powers.sum()))

    def __call__(self, answers: list[Array]) -> Array:
        """The answer to other objects."""
        return calibrate(combine(answers, self.weights), np.full(len(answers[0]), self.temperature))


def blended(answers: list[Array], labels: NDArray[np.int64], folds: NDArray[np.int64]) -> tuple[Array, list[Blend]]:
    """All members in one: each fold's weights and temperature are those of the other folds.

    So no object has a part in how its own fold is blended, but for this: the members that answer for the other folds
    have learned from it, too. Three numbers of thousands of objects hardly know it.

    Parameters
    ----------
    answers : float64 arrays, shape (n, n_classes), a member each, that hasn't learned from an object's fold.
    folds : int64 array, shape (n,); two folds at least.

    Returns
    -------
    The answer to each object, and the blend of each fold.
    """
    told, blends = np.zeros_like(answers[0]), []
    for fold in np.unique(folds):
        inside = folds == fold
        blend = Blend.fit([answer[~inside] for answer in answers], labels[~inside])
        told[inside] = blend([answer[inside] for answer in answers])
        blends.append(blend)
    return told, blends


def side_by_side(members: Mapping[str, Member], known: Table, asked: Table) -> dict[str, Array]:
    """The answers of each member."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(members, pool.map(lambda member: member(known, asked), members.values()), strict=True))
