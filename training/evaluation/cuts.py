"""Light curves as they were when the broker was asked: at an age, a number of detections, one alert after another."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifiers.sequences import select
from features.family import FeatureInput
from schemas.alerts import LightCurves
from training.columns import take

AGES = tuple(2.0**k for k in range(11))
"""Days since the first detection."""

DETECTIONS = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 32), (33, None))
"""Ranges of the number of detections, both ends in."""

FOLLOWED, FOLLOWED_FOR = 200, 24
"""Objects of a source that are followed from alert to alert, and for how many alerts."""


@dataclass(frozen=True)
class Cuts:
    """Where light curves of some objects end; those of one object are in the order of their groups.

    Parameters
    ----------
    objects : int64 array, shape (n,)
        Index of the object.
    groups : int64 array, shape (n,)
        Index of the age, of the range of detections, or of the alert.
    ends : float64 array, shape (n,)
        MJD of the last point that may be in.
    """

    objects: NDArray[np.int64]
    groups: NDArray[np.int64]
    ends: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.objects)


def at_ages(curves: LightCurves) -> Cuts:
    """Every object at each of `AGES` that it reaches: its light curve lasts that long after its first detection."""
    last = curves.mjd[curves.offsets[1:] - 1]
    ends = curves.first_detection[:, None] + np.array(AGES)
    objects, groups = np.nonzero(ends <= last[:, None])
    return Cuts(objects, groups, ends[objects, groups])


def at_detections(curves: LightCurves, rng: np.random.Generator) -> Cuts:
    """Every object at one of its alerts, drawn evenly, of each range of `DETECTIONS` that it reaches."""
    counts = curves.n_detections
    low = np.array([first for first, _ in DETECTIONS])
    high = np.array([last or np.iinfo(np.int64).max for _, last in DETECTIONS])
    objects, groups = np.nonzero(counts[:, None] >= low)
    width = np.minimum(high[groups], counts[objects]) - low[groups] + 1
    numbers = low[groups] + np.floor(rng.random(len(objects)) * width).astype(np.int64)
    return Cuts(objects, groups, _mjd_of(curves, objects, numbers))


def at_successive_alerts(curves: LightCurves, rng: np.random.Generator) -> Cuts:
    """Some objects, `FOLLOWED` at most, at each of their first `FOLLOWED_FOR` alerts; they have two at least."""
    several = np.flatnonzero(curves.n_detections > 1)
    chosen = np.sort(rng.permutation(several)[:FOLLOWED])
    counts = np.minimum(curves.n_detections[chosen], FOLLOWED_FOR)
    objects = np.repeat(chosen, counts)
    groups = np.arange(len(objects)) - np.repeat(np.cumsum(counts) - counts, counts)
    return Cuts(objects, groups, _mjd_of(curves, objects, groups + 1))


def _mjd_of(curves: LightCurves, objects: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """MJD of the object's detection of that number, from 1."""
    before = np.cumsum(curves.n_detections) - curves.n_detections
    return np.asarray(curves.mjd[np.flatnonzero(curves.detected)[before[objects] + numbers - 1]])


def concat(parts: tuple[Cuts, ...]) -> Cuts:
    """All cuts of all parts."""
    return Cuts(
        np.concatenate([part.objects for part in parts]),
        np.concatenate([part.groups for part in parts]),
        np.concatenate([part.ends for part in parts]),
    )


def cut(given: FeatureInput, cuts: Cuts, rows: NDArray[np.int64]) -> FeatureInput:
    """The light curves of some of the cuts: the points up to and including their ends."""
    taken = take(given, cuts.objects[rows])
    keep = taken.curves.mjd <= cuts.ends[rows][taken.curves.owner]
    return replace(taken, curves=select(taken.curves, keep))
