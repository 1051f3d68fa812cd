"""Two evaluations of the same light curves side by side; the log-loss also in pairs, object by object."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluation import ENSEMBLE, Evaluation, Group, Sample

SCORES = ("nll", "weighted", "ece", "macro_f1", "macro_auc")


@dataclass(frozen=True)
class Paired:
    """The mean over objects of the second's log-loss less the first's [nat], and its standard error.

    An object with several ages counts once, with their mean. The error isn't known of a single object.
    """

    objects: int
    mean: float
    error: float | None


@dataclass(frozen=True)
class Row:
    """One group of light curves of a sample: each of `SCORES` of the first and of the second."""

    sample: str
    host: str
    days: str
    light_curves: int
    scores: dict[str, tuple[float | None, float | None]]
    paired: Paired

    def difference(self, score: str) -> float | None:
        """The second's score less the first's."""
        first, second = self.scores[score]
        return None if first is None or second is None else second - first


@dataclass(frozen=True)
class Comparison:
    """What compares, and the samples that don't, each with the reason."""

    rows: tuple[Row, ...]
    apart: tuple[str, ...]


def compare(first: Evaluation, second: Evaluation) -> Comparison:
    """Compare the ensembles' scores on every sample that both have, light curve by light curve the same."""
    others = {(sample.name, sample.host): sample for sample in second.samples}
    rows: list[Row] = []
    apart: list[str] = []
    for sample in first.samples:
        other = others.pop((sample.name, sample.host), None)
        why = _why_apart(sample, other, first, second)
        if why is None and other is not None:
            rows += _rows(first, sample, other)
        else:
            apart.append(f"{sample.name}, {sample.host} host: {why}")
    apart += [f"{name}, {host} host: only the second has it" for name, host in others]
    return Comparison(tuple(rows), tuple(apart))


def _why_apart(sample: Sample, other: Sample | None, first: Evaluation, second: Evaluation) -> str | None:
    if other is None:
        return "only the first has it"
    if sample.examples_sha256 != other.examples_sha256 or sample.losses.ids != other.losses.ids:
        return f"of other light curves ({sample.objects} and {other.objects} objects)"
    return None if first.ages == second.ages else "scored at other ages"


def _rows(evaluation: Evaluation, sample: Sample, other: Sample) -> Iterator[Row]:
    first, second = sample.answer(ENSEMBLE), other.answer(ENSEMBLE)
    differences = _losses(other) - _losses(sample)
    yield _row(sample, first.all_ages, second.all_ages, differences)
    for a, b in zip(first.ages, second.ages, strict=True):
        age = evaluation.ages.index(float(a.name))
        yield _row(sample, a, b, differences[:, age : age + 1])


def _row(sample: Sample, first: Group, second: Group, differences: NDArray[np.float64]) -> Row:
    scores = {score: (getattr(first.figures, score), getattr(second.figures, score)) for score in SCORES}
    return Row(sample.name, sample.host, first.name, first.figures.light_curves, scores, paired(differences))


def _losses(sample: Sample) -> NDArray[np.float64]:
    rows = [[np.nan if loss is None else loss for loss in row] for row in sample.losses.nll]
    return np.array(rows, np.float64).reshape(len(rows), -1)


def paired(differences: NDArray[np.float64]) -> Paired:
    """The mean over objects, of at least one, and its standard error.

    Parameters
    ----------
    differences : shape (n_objects, n_ages), NaN where an object has no light curve of the age.
    """
    counted = differences[~np.isnan(differences).all(axis=1)]
    of_objects = np.nanmean(counted, axis=1)
    n = len(of_objects)
    error = float(of_objects.std(ddof=1) / np.sqrt(n)) if n > 1 else None
    return Paired(n, float(of_objects.mean()), error)
