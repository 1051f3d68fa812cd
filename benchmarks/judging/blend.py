"""Several members' answers in one: weights and a temperature from objects that are kept back of those to learn from."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.judging.folds import stratified
from benchmarks.judging.tables import Table
from classifiers._rows import safe_log, softmax
from classifiers.calibration import calibrate
from classifiers.predict import combine
from training.scores import nll

Array = NDArray[np.float64]
Member = Callable[[Table, Table], Array]
"""From objects to learn from and others, to the others' probabilities."""

KEPT_BACK = 4
"""One object of so many is kept back."""

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


def blended(members: Mapping[str, Member], known: Table, asked: Table, seed: int) -> tuple[dict[str, Array], Blend]:
    """The answers of each member and of all together, called `BLEND`, and how they were blended.

    Nothing of `asked` but its columns is looked at. Members run side by side; each fits once on the objects that
    aren't kept back and once on all.
    """
    inside = stratified(known.labels, KEPT_BACK, seed) != 0
    rest, kept = known.where(inside), known.where(~inside)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(partial(_twice, rest, kept, known, asked), members.values()))
    blend = Blend.fit([before for before, _ in answers], kept.labels)
    told = dict(zip(members, (after for _, after in answers), strict=True))
    return {**told, BLEND: blend(list(told.values()))}, blend


def _twice(rest: Table, kept: Table, known: Table, asked: Table, member: Member) -> tuple[Array, Array]:
    return member(rest, kept), member(known, asked)
