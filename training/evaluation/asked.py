"""The light curves of one sample that a bundle is asked about, and all answers to them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from classifiers.bundle import Bundle
from features.family import FeatureInput
from training.columns import hide_host
from training.ensemble import Stages
from training.evaluation.answers import Answered, answer
from training.evaluation.cuts import at_ages, at_detections, at_successive_alerts, concat
from training.sources import Source

Host = Literal["with", "without"]


@dataclass(frozen=True)
class Asked:
    """Light curves, n in all, that are cut at ages, at numbers of detections, and from alert to alert.

    Parameters
    ----------
    labels, objects, groups : int64 arrays, shape (n,)
        Class index; index of the object; index of the age, the range of detections, or the alert.
    ages, detections, alerts : which light curves are cut in which way.
    answered : the answers to all of them.
    """

    labels: NDArray[np.int64]
    objects: NDArray[np.int64]
    groups: NDArray[np.int64]
    ages: slice
    detections: slice
    alerts: slice
    answered: Answered


def ask(bundle: Bundle, source: Source, host: Host, seed: int, stages: Stages) -> Asked:
    """Cut the light curves of a source's held-out objects, and ask a bundle and its members about them.

    Parameters
    ----------
    seed : of the alerts that light curves are cut at, and of the objects that are followed.
    """
    given, labels, rng = FeatureInput.from_alerts(source.test.alerts), source.test.labels, np.random.default_rng(seed)
    parts = (at_ages(given.curves), at_detections(given.curves, rng), at_successive_alerts(given.curves, rng))
    cuts = concat(parts)
    step = stages.begin(f"Evaluation {host} host: {source.name}", len(cuts))
    answered = answer(bundle, hide_host(given) if host == "without" else given, labels, cuts, step)
    ages, detections, alerts = (slice(*ends) for ends in pairwise(np.cumsum([0, *map(len, parts)]).tolist()))
    return Asked(labels[cuts.objects], cuts.objects, cuts.groups, ages, detections, alerts, answered)
