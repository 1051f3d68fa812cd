"""What is a member of the ensemble? The contract of the modules in `classifiers.members`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from features.family import FeatureInput


@dataclass(frozen=True)
class MemberInput:
    """What a member may read about n objects, all in one order.

    Parameters
    ----------
    features : float32 array, shape (n, n_features)
        The columns that the bundle's manifest names, in its order; NaN where undefined.
    given : FeatureInput
        The light curves, and the host and sky columns.
    """

    features: NDArray[np.float32]
    given: FeatureInput


@dataclass(frozen=True)
class MemberOutput:
    """What a member answers.

    Parameters
    ----------
    probabilities : float64 array, shape (n, n_classes)
        In the manifest's class order; rows sum to 1. A row depends on its own object only, bit for bit.
    latent : float64 array, shape (n, n_latent), or None
        Coordinates that the novelty score may use.
    """

    probabilities: NDArray[np.float64]
    latent: NDArray[np.float64] | None = None


class Member(Protocol):
    """A trained model, loaded."""

    def predict(self, given: MemberInput, /) -> MemberOutput:
        """Class probabilities of a batch, computed on one thread."""
        ...


@dataclass(frozen=True)
class MemberKind:
    """A module's constant `CLASSIFIER`: how to load the members of one kind.

    Parameters
    ----------
    name : the kind as manifests name it: ``trees``, ``recurrent``.
    load : from the bundle's directory and the member's own settings in the manifest to a `Member`. The settings come
        with two more, ``n_features`` and ``n_classes`` of the bundle. A file that can't be used, or doesn't fit
        them, is a ValueError.
    has_latent : whether its members answer with a latent, for the novelty score to read.
    """

    name: str
    load: Callable[[Path, dict[str, Any]], Member]
    has_latent: bool = False
