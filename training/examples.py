"""Training examples: labelled light curves with their features, and the objects they came from."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import days_since_first_detection
from classifiers.member import MemberInput
from classifiers.taxonomy import PLASTICC_TARGETS
from features.extract import feature_matrix
from schemas.alerts import AlertBatch
from training.columns import concat, take
from training.light_curves import alerts_from_plasticc
from training.official import TrainingSet
from training.views import Host, make_views

CHUNK = 1000
"""Objects that are turned into examples at a time."""


@dataclass(frozen=True)
class Objects:
    """Labelled objects with their whole light curves.

    Parameters
    ----------
    alerts : n objects.
    labels : int64 array, shape (n,)
        Class index.
    parents : int64 array, shape (n,)
        The published object that each was drawn after, itself where it is one; folds never part a parent.
    """

    alerts: AlertBatch
    labels: NDArray[np.int64]
    parents: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, keep: NDArray[np.bool_]) -> "Objects":
        """The objects where `keep`, shape (n,), is true."""
        rows = np.flatnonzero(keep)
        return Objects(self.alerts.take(rows), self.labels[rows], self.parents[rows])

    @classmethod
    def from_training_set(cls, found: TrainingSet) -> "Objects":
        """The objects of the official files, each its own parent.

        Raises
        ------
        TrainingTableError
            As `alerts_from_plasticc` does.
        """
        alerts, targets = alerts_from_plasticc(found.points, found.metadata, found.names)
        return cls(alerts, class_index(targets), found.metadata["object_id"].to_numpy(np.int64))

    @classmethod
    def concat(cls, parts: Sequence["Objects"]) -> "Objects":
        """All objects of all parts."""
        return cls(
            AlertBatch.concat([part.alerts for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.parents for part in parts]),
        )


@dataclass(frozen=True)
class Examples:
    """Labelled light curves, several from an object.

    Parameters
    ----------
    data : what members read of n light curves.
    labels : int64 array, shape (n,)
        Class index.
    parents : int64 array, shape (n,)
    """

    data: MemberInput
    labels: NDArray[np.int64]
    parents: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def days(self) -> NDArray[np.float64]:
        """Days from the first detection to the last point, shape (n,)."""
        return days_since_first_detection(self.data.given.curves)

    def take(self, rows: NDArray[np.int64]) -> "Examples":
        """The light curves at `rows`, in that order."""
        data = MemberInput(self.data.features[rows], take(self.data.given, rows))
        return Examples(data, self.labels[rows], self.parents[rows])

    def sha256(self) -> str:
        """SHA-256 of the light curves, host and sky columns, and labels."""
        digest = hashlib.sha256()
        given = self.data.given
        curves = given.curves
        points = (curves.offsets, curves.mjd, curves.flux, curves.flux_err, curves.band, curves.detected)
        for array in (*points, given.host_photoz, given.host_photoz_err, given.milky_way_ebv, self.labels):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def class_index(targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index into `PLASTICC_TARGETS` of each PLAsTiCC class."""
    return np.searchsorted(PLASTICC_TARGETS, targets).astype(np.int64)


def make_examples(
    objects: Objects,
    names: Sequence[str],
    per_object: int,
    seed: int,
    *,
    host: Host = "random",
    tick: Callable[[int], None] = lambda _: None,
) -> Examples:
    """Light curves of every object, as `training.views.make_views` cuts them, with their features.

    Parameters
    ----------
    names : the feature columns to compute.
    per_object : number of light curves per object.
    host : whether photo-z and extinction are hidden at random, kept, or hidden from all.
    tick : called with a number of objects whenever so many more are done.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for rows in _chunks(len(objects)):
        views = make_views(objects.alerts.take(rows), per_object, rng, host)
        chosen = rows[views.objects]
        data = MemberInput(feature_matrix(views.given, names), views.given)
        parts.append(Examples(data, objects.labels[chosen], objects.parents[chosen]))
        tick(len(rows))
    return _concat(parts)


def _chunks(n: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, n, CHUNK):
        yield np.arange(start, min(start + CHUNK, n))


def _concat(parts: Sequence[Examples]) -> Examples:
    return Examples(
        MemberInput(
            np.concatenate([part.data.features for part in parts]), concat([part.data.given for part in parts])
        ),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.parents for part in parts]),
    )
