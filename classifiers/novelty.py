"""Novelty: how far an alert's latent lies from every class, as a score of its own.

The distance is the smallest Mahalanobis distance to a class mean, with one covariance shared by all classes
(Lee et al. 2018, arXiv:1807.03888, eq. 2), in units of the distance that 99 % of known objects stay within: above 1,
an alert is stranger than 99 in 100 of those the bundle was fitted on.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Novelty:
    """The parameters of the score.

    Parameters
    ----------
    means : float64 array, shape (n_classes, n_latent)
        Whitened class means: ``mean @ whitening``.
    whitening : float64 array, shape (n_latent, n_latent)
        Turns the shared covariance into the identity: ``whitening @ whitening.T`` is its inverse.
    unit : float
        The distance that counts as 1.
    """

    means: NDArray[np.float64]
    whitening: NDArray[np.float64]
    unit: float

    def score(self, latent: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score of latents, shape (n, n_latent) -> (n,); 0 at a class mean, 1 at the 99 % distance, no upper end."""
        white = self.whitened(latent)
        squares = np.zeros((len(latent), len(self.means)))
        for along, means in zip(white.T, self.means.T, strict=True):
            squares += (along[:, None] - means) ** 2
        return np.asarray(np.sqrt(squares.min(axis=1)) / self.unit)

    def whitened(self, latent: NDArray[np.float64]) -> NDArray[np.float64]:
        """Latents, shape (n, n_latent), in coordinates in which the shared covariance is the identity."""
        return _times(latent, self.whitening)

    def save(self, path: Path) -> None:
        """Write the parameters as an .npz file."""
        np.savez(path, means=self.means, whitening=self.whitening, unit=np.float64(self.unit))

    @classmethod
    def load(cls, path: Path) -> "Novelty":
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If a parameter is missing or the shapes don't fit each other.
        """
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            missing = {"means", "whitening", "unit"} - set(stored.files)
            if missing:
                raise ValueError(f"it holds no {', '.join(sorted(missing))}")
            found = cls(stored["means"], stored["whitening"], float(stored["unit"]))
        n_latent = found.whitening.shape[0]
        if found.whitening.shape != (n_latent, n_latent) or found.means.shape[1:] != (n_latent,):
            raise ValueError(f"means {found.means.shape} and whitening {found.whitening.shape} don't fit each other")
        return found


def fit_novelty(latent: NDArray[np.float64], labels: NDArray[np.int64], quantile: float = 0.99) -> Novelty:
    """Class means and shared covariance of latents of known class.

    Parameters
    ----------
    latent : float64 array, shape (n, n_latent)
    labels : int64 array, shape (n,)
        Class index of each.
    quantile : share of the given objects whose score is to stay below 1.
    """
    present = np.unique(labels)
    means = np.stack([latent[labels == k].mean(axis=0) for k in present])
    centred = latent - means[np.searchsorted(present, labels)]
    covariance = centred.T @ centred / len(latent)
    # A latent unit that never fires has no variance; a little of the mean variance keeps the inverse finite.
    ridge = 1e-3 * np.trace(covariance) / len(covariance) + 1e-12
    values, vectors = np.linalg.eigh(covariance + ridge * np.eye(len(covariance)))
    whitening = vectors / np.sqrt(values)
    unscaled = Novelty(means @ whitening, whitening, 1.0)
    return Novelty(unscaled.means, whitening, float(np.quantile(unscaled.score(latent), quantile)))


def _times(rows: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """``rows @ matrix``, added up in one fixed order: a matrix product would round a row by the size of its batch."""
    product = np.zeros((len(rows), matrix.shape[1]))
    for k, weights in enumerate(matrix):
        product += rows[:, k, None] * weights
    return product
