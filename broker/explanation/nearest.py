"""The objects of the training set that an alert is most like, class by class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classifiers.bundle import Bundle
from classifiers.member import MemberOutput
from classifiers.neighbours import Neighbours
from classifiers.taxonomy import ClassNode
from features.family import FeatureInput

PER_CLASS = 3
"""Objects of each class that are named."""


@dataclass(frozen=True)
class NearObject:
    """A known object.

    Parameters
    ----------
    id : in its source.
    parent : the published object that it was drawn after; None where it is one itself.
    origin : its source.
    distance : in units of the novelty score.
    """

    id: str
    parent: str | None
    origin: str
    distance: float


@dataclass(frozen=True)
class Near:
    """The nearest objects of a class, the nearest first."""

    node: ClassNode
    objects: tuple[NearObject, ...]


def nearest(outputs: Sequence[MemberOutput], given: FeatureInput, bundle: Bundle) -> tuple[Near, ...] | None:
    """The nearest known objects of each class, the nearest class first; None where the bundle has none.

    Parameters
    ----------
    outputs : what each member answers for one alert.
    given : its light curve and host.
    """
    known, novelty, entry = bundle.neighbours, bundle.novelty, bundle.manifest.novelty
    latent = outputs[entry.member].latent if entry else None
    if known is None or novelty is None or latent is None:
        return None
    distances = known.distances(latent[0], novelty, host=not np.isnan(given.host_photoz[0]))
    order = np.argsort(distances, kind="stable")
    found: dict[int, list[NearObject]] = {}
    for k in order:
        of_class = found.setdefault(int(known.labels[k]), [])
        if len(of_class) < PER_CLASS:
            of_class.append(_object(known, int(k), float(distances[k])))
    return tuple(Near(bundle.classes[label], tuple(objects)) for label, objects in found.items())


def _object(known: Neighbours, k: int, distance: float) -> NearObject:
    parent = None if known.published[k] else str(known.parents[k])
    return NearObject(str(known.ids[k]), parent, str(known.origins[k]), distance)
