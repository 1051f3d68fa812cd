"""Is a point a detection? The efficiency of difference imaging against the measured signal-to-noise ratio.

Fitted to the 17,285 points of the real PLAsTiCC objects: half of the points are detected at S/N 5.6, 5 % at 3, 94 %
at 8. Negative differences of variable sources are detected alike.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr  # type: ignore[import-untyped] # scipy publishes no types

from training.simulate.bands import Array

HALF, WIDTH = 5.6, 1.7
FAINTEST = 2.0
"""Below this S/N nothing is detected."""


def efficiency(snr: Array) -> Array:
    """Probability that a point of measured S/N `snr` (of either sign) is detected."""
    size = np.abs(snr)
    return np.asarray(np.where(size < FAINTEST, 0.0, ndtr((size - HALF) / WIDTH)), dtype=np.float64)


def detect(rng: Generator, flux: Array, flux_err: Array) -> NDArray[np.bool_]:
    """Which measurements are detected."""
    return np.asarray(rng.random(len(flux)) < efficiency(flux / flux_err), dtype=np.bool_)
