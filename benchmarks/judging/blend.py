"""Several members' answers in one: weights and a temperature from objects that are kept back of those to learn from."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.judging.folds import stratified
from benchmarks.judging.tables import Table
from classifiers.calibration import calibrate
from classifiers.predict import combine
from training.calibrate import best_temperature, best_weights

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
        """The best for some objects that no member has learned from."""
        weights = best_weights(answers, labels)
        return cls(weights, best_temperature(combine(answers, weights), labels))

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
