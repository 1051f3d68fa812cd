"""What is a family of features? The contract of the modules in `features.families`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from features._by_band import ByBand, by_band
from features._jit import Floats
from features._landmarks import Landmarks, landmarks
from features._statistics import band_statistics
from schemas.alerts import AlertBatch, LightCurves


@dataclass(frozen=True)
class Feature:
    """A named number of a light curve.

    Parameters
    ----------
    name : lower case with underscores, ending in the band for a per-band feature: ``flux_max_g``.
    meaning : one sentence for an astronomer.
    unit : astropy's spelling (``nJy``, ``d``, ``mag``, ``1 / d``), empty for a pure number.
    source : paper and equation, or ``Boreal``.
    """

    name: str
    meaning: str
    unit: str
    source: str


@dataclass(frozen=True)
class FeatureInput:
    """What a family may read: the light curves and the host and sky columns, all of n objects in one order.

    Parameters
    ----------
    curves : LightCurves
    host_photoz, host_photoz_err, milky_way_ebv : float64 array, shape (n,)
        NaN where not known.
    """

    curves: LightCurves
    host_photoz: NDArray[np.float64]
    host_photoz_err: NDArray[np.float64]
    milky_way_ebv: NDArray[np.float64]

    @classmethod
    def from_alerts(cls, alerts: AlertBatch) -> "FeatureInput":
        """The columns that families read, taken from a batch."""
        return cls(
            alerts.light_curves,
            alerts.column("host_photoz"),
            alerts.column("host_photoz_err"),
            alerts.column("milky_way_ebv"),
        )

    @cached_property
    def landmarks(self) -> Landmarks:
        """Where is what in each light curve."""
        return landmarks(self.curves)

    @cached_property
    def by_band(self) -> ByBand:
        """The points of the light curves, band by band."""
        return by_band(self.curves)

    @cached_property
    def statistics(self) -> Mapping[str, Floats]:
        """What the light-curve library says of each band, by its names; shape (n_objects, 6)."""
        return band_statistics(self.curves, self.by_band)


class Compute(Protocol):
    """Computes a family: one row an object, one column a feature, in the order of `FeatureFamily.features`."""

    def __call__(self, given: FeatureInput, /) -> NDArray[np.float64]:
        """Shape (n_objects, n_features), NaN where undefined; a row depends on its own object only, bit for bit."""
        ...


@dataclass(frozen=True)
class FeatureFamily:
    """A module's constant `FEATURES`: features that are computed together."""

    name: str
    features: tuple[Feature, ...]
    compute: Compute


Kernel = Callable[..., None]
"""A jitted loop over objects that fills a preallocated array."""
