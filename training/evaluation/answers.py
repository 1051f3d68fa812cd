"""What a bundle and each of its members say of light curves, features computed once."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.bundle import Bundle
from classifiers.calibration import days_since_first_detection
from classifiers.evaluation import ENSEMBLE, UNCALIBRATED
from classifiers.manifest import Manifest
from classifiers.member import MemberInput
from classifiers.predict import answers, combine, settle
from features.extract import feature_matrix
from features.family import FeatureInput
from training.evaluation.cuts import Cuts, cut
from training.examples import Examples

CHUNK = 2000
"""Light curves that are classified at a time, so that memory stays bounded."""


@dataclass(frozen=True)
class Answered:
    """What was said of n light curves.

    Parameters
    ----------
    probabilities : by who answers, float64 arrays of shape (n, n_classes).
    days : float64 array, shape (n,)
        From the first detection to the last point.
    sha256 : of the light curves, host and sky columns, and labels.
    """

    probabilities: dict[str, NDArray[np.float64]]
    days: NDArray[np.float64]
    sha256: str


def answer(
    bundle: Bundle, given: FeatureInput, labels: NDArray[np.int64], cuts: Cuts, tick: Callable[[int], object]
) -> Answered:
    """Ask a bundle and its members about light curves of some objects.

    Parameters
    ----------
    given : n whole objects.
    labels : int64 array, shape (n,)
    cuts : where their light curves end.
    tick : called with a number of light curves whenever so many more are done.
    """
    names = who(bundle.manifest)
    said = {name: np.empty((len(cuts), len(bundle.classes))) for name in names}
    days, digest = np.empty(len(cuts)), hashlib.sha256()
    for start in range(0, len(cuts), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(cuts)))
        examples = _examples(bundle, cut(given, cuts, rows), labels[cuts.objects[rows]])
        for name, probabilities in zip(names, _say(bundle, examples.data), strict=True):
            said[name][rows] = probabilities
        days[rows] = days_since_first_detection(examples.data.given.curves)
        digest.update(examples.sha256().encode())
        tick(len(rows))
    return Answered(said, days, digest.hexdigest())


def who(manifest: Manifest) -> tuple[str, ...]:
    """Who answers: each member by its kind, with a number where there are several of one, their mean, the ensemble."""
    kinds = [member.kind for member in manifest.members]
    members = (f"{kind} {k + 1}" if kinds.count(kind) > 1 else kind for k, kind in enumerate(kinds))
    return (*members, UNCALIBRATED, ENSEMBLE)


def _examples(bundle: Bundle, given: FeatureInput, labels: NDArray[np.int64]) -> Examples:
    return Examples(MemberInput(feature_matrix(given, bundle.feature_names), given), labels, labels)


def _say(bundle: Bundle, given: MemberInput) -> list[NDArray[np.float64]]:
    outputs = answers(given, bundle)
    alone = [output.probabilities for output in outputs]
    mean = combine(alone, [member.weight for member in bundle.manifest.members])
    return [*alone, mean, settle(outputs, given, bundle)[0]]
