"""Known objects whose latents lie near an alert's: which ones, of which class, how far.

Distances are those of the novelty score (`classifiers.novelty`): Mahalanobis distances, in units of the distance from
its class mean that 99 % of the training light curves stay within.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.novelty import Novelty

PER_CLASS = 100
"""The most objects of a class that are kept."""

_ARRAYS = {"latent": 3, "labels": 1, "ids": 1, "parents": 1, "published": 1, "origins": 1}
"""The arrays of a file, and how many axes each has."""


@dataclass(frozen=True)
class Neighbours:
    """Objects of the training set with their whole light curves.

    Parameters
    ----------
    latent : float16 array, shape (2, n, n_latent)
        Whitened latents: as read without the host's photo-z and extinction, and with them as far as they are known.
    labels : int64 array, shape (n,)
        Class index of each.
    ids : str array, shape (n,)
        Its id in its source.
    parents : str array, shape (n,)
        Id of the published object that it was drawn after; its own where it is published itself.
    published : bool array, shape (n,)
    origins : str array, shape (n,)
        Name of its source.
    """

    latent: NDArray[np.float16]
    labels: NDArray[np.int64]
    ids: NDArray[np.str_]
    parents: NDArray[np.str_]
    published: NDArray[np.bool_]
    origins: NDArray[np.str_]

    def distances(self, latent: NDArray[np.float64], novelty: Novelty, *, host: bool) -> NDArray[np.float64]:
        """Distance of an alert's latent, shape (n_latent,), to each object, shape (n,).

        Parameters
        ----------
        novelty : of the same bundle.
        host : whether the alert has a host's photo-z; it is compared with objects that are read alike.
        """
        gaps = self.latent[int(host)].astype(np.float64) - novelty.whitened(latent[None, :])
        return np.asarray(np.sqrt((gaps**2).sum(axis=1)) / novelty.unit)

    def save(self, path: Path) -> None:
        """Write the objects as an .npz file."""
        np.savez_compressed(path, **{name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def load(cls, path: Path) -> "Neighbours":
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If an array is missing or the shapes don't fit each other.
        """
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            missing = _ARRAYS.keys() - set(stored.files)
            if missing:
                raise ValueError(f"it holds no {', '.join(sorted(missing))}")
            arrays = {name: stored[name] for name in _ARRAYS}
        found = cls(**arrays)
        shapes = {name: array.shape for name, array in arrays.items()}
        lengths = {shape[1 if name == "latent" else 0] for name, shape in shapes.items() if len(shape) == _ARRAYS[name]}
        if any(len(shape) != _ARRAYS[name] for name, shape in shapes.items()) or len(lengths) != 1:
            raise ValueError(f"its arrays don't fit each other: {shapes}")
        return found


@dataclass(frozen=True)
class Known:
    """Objects that may be kept; see `Neighbours`. `latent` isn't whitened yet, and of shape (2, n, n_latent)."""

    latent: NDArray[np.float64]
    labels: NDArray[np.int64]
    ids: NDArray[np.str_]
    parents: NDArray[np.str_]
    published: NDArray[np.bool_]
    origins: NDArray[np.str_]


def fit_neighbours(known: Known, novelty: Novelty, seed: int, per_class: int = PER_CLASS) -> Neighbours:
    """Up to so many objects of each class: published ones first, the others drawn at random.

    Parameters
    ----------
    novelty : of the same latents.
    seed : of the drawing.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(known.labels))
    first = drawn[np.argsort(~known.published[drawn], kind="stable")]
    rows = np.concatenate([first[known.labels[first] == label][:per_class] for label in np.unique(known.labels)])
    white = np.stack([novelty.whitened(latent[rows]) for latent in known.latent])
    columns = (known.labels, known.ids, known.parents, known.published, known.origins)
    return Neighbours(white.astype(np.float16), *(column[rows] for column in columns))
