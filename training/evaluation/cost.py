"""What an alert costs: time for its features, for each member and for the whole answer, in calls as a broker makes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from classifiers.bundle import Bundle
from classifiers.evaluation import Cost
from classifiers.member import Member, MemberInput
from classifiers.predict import classify
from classifiers.sequences import select
from features.extract import feature_matrix
from features.family import FeatureInput
from training.columns import take
from training.evaluation.answers import who
from training.light_curves import real_plasticc
from training.members import Step

LENGTHS = (10, 35, 125, 300)
"""Light-curve points."""

BATCHES = (1, 64)
CALLS = 50
DIGITS = 1


def measure(bundle: Bundle, tick: Step, calls: int = CALLS) -> tuple[Cost, ...]:
    """Times of one thread on the published PLAsTiCC light curves, an entry a length, batch and step; other each time.

    Parameters
    ----------
    tick : called after each of ``n_steps(bundle)`` series of calls.
    calls : of which the median and the 99th percentile are told.
    """
    costs = []
    for length in LENGTHS:
        given = of_length(FeatureInput.from_alerts(real_plasticc()[0]), length)
        for batch in BATCHES:
            for name, times in _series(bundle, take(given, np.arange(batch) % len(given.curves)), calls):
                p50, p99 = (round(float(x) * 1e6 / batch, DIGITS) for x in np.quantile(times, (0.5, 0.99)))
                costs.append(Cost(step=name, batch=batch, points=length, calls=calls, p50=p50, p99=p99))
                tick()
    return tuple(costs)


def n_steps(bundle: Bundle) -> int:
    """How many series of calls `measure` makes."""
    return len(LENGTHS) * len(BATCHES) * (len(bundle.members) + 2)


def of_length(given: FeatureInput, length: int) -> FeatureInput:
    """The objects that have so many points and a detection, each with the `length` points up to its last detection.

    Where there are fewer of these, the first `length` points.
    """
    curves = given.curves
    kept = take(given, np.flatnonzero((curves.lengths >= length) & (curves.n_detections > 0)))
    curves = kept.curves
    place = np.arange(len(curves.mjd)) - curves.offsets[:-1][curves.owner]
    last = np.zeros(len(curves), np.int64)
    np.maximum.at(last, curves.owner[curves.detected], place[curves.detected])
    end = np.maximum(last, length - 1)[curves.owner]
    return replace(kept, curves=select(curves, (place <= end) & (place > end - length)))


def _series(bundle: Bundle, given: FeatureInput, calls: int) -> Iterator[tuple[str, NDArray[np.float64]]]:
    read = MemberInput(feature_matrix(given, bundle.feature_names), given)
    yield "features", _times(lambda: feature_matrix(_afresh(given), bundle.feature_names), calls)
    for name, member in zip(who(bundle.manifest), bundle.members, strict=False):
        yield name, _times(_asking(member, read), calls)
    yield "classify", _times(lambda: classify(MemberInput(read.features, _afresh(given)), bundle), calls)


def _asking(member: Member, read: MemberInput) -> Callable[[], object]:
    return lambda: member.predict(MemberInput(read.features, _afresh(read.given)))


def _afresh(given: FeatureInput) -> FeatureInput:
    """The same objects, of which nothing has been computed yet that would be kept for the next call."""
    return take(given, np.arange(len(given.curves)))


def _times(call: Callable[[], object], calls: int) -> NDArray[np.float64]:
    """Seconds of each call, after one that isn't counted."""
    call()
    times = np.empty(calls)
    for k in range(calls):
        begun = perf_counter()
        call()
        times[k] = perf_counter() - begun
    return times
