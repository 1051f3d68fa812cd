"""Which points are detections: the efficiency of difference imaging against the true signal-to-noise ratio.

As in SNANA, a point is detected or not by its true flux over its error, not by the flux that was measured: noise
alone is never detected. Fitted to the ELAsTiCC2 points, whose true magnitudes are known: 3 % are detected at S/N 3,
26 % at 5, 58 % at 6, 94 % at 8. Negative differences of variable sources are detected alike (as in object 615).
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr

from training.simulate.bands import Array

HALF, WIDTH = 5.9, 1.45
FAINTEST = 2.0
"""Below this S/N nothing is detected."""


def efficiency(snr: Array) -> Array:
    """Probability that a point of true S/N `snr` (of either sign) is detected."""
    size = np.abs(snr)
    return np.asarray(np.where(size < FAINTEST, 0.0, ndtr((size - HALF) / WIDTH)), dtype=np.float64)


def detect(rng: Generator, flux: Array, flux_err: Array) -> NDArray[np.bool_]:
    """Which points are detected, of true difference flux `flux`."""
    return np.asarray(rng.random(len(flux)) < efficiency(flux / flux_err), dtype=np.bool_)
