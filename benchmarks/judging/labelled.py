"""Light curves whose classes are known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifiers.member import MemberInput
from features.extract import feature_matrix
from features.family import FeatureInput
from training.columns import concat, take
from training.examples import Examples


@dataclass(frozen=True)
class Labelled:
    """Objects of a published set.

    Parameters
    ----------
    given : their light curves, and host and sky columns.
    labels : int64 array, shape (n,)
        Index into `classes`.
    classes : names.
    redshift : float64 array, shape (n,)
        From spectra, as far as a use of the set knows them; 0 inside the Milky Way.
    parents : int64 array, shape (n,)
        Of what each is a copy; its own number where it is none.
    """

    given: FeatureInput
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    redshift: NDArray[np.float64]
    parents: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64]) -> "Labelled":
        """The objects in some rows."""
        return replace(
            self,
            given=take(self.given, rows),
            labels=self.labels[rows],
            redshift=self.redshift[rows],
            parents=self.parents[rows],
        )

    def examples(self, names: Sequence[str]) -> Examples:
        """With the features of these names."""
        return Examples(MemberInput(feature_matrix(self.given, names), self.given), self.labels, self.parents)

    @classmethod
    def concat(cls, parts: Sequence["Labelled"]) -> "Labelled":
        """All objects of all parts."""
        return replace(
            parts[0],
            given=concat([part.given for part in parts]),
            labels=np.concatenate([part.labels for part in parts]),
            redshift=np.concatenate([part.redshift for part in parts]),
            parents=np.concatenate([part.parents for part in parts]),
        )
