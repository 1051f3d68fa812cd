"""The six LSST bands as the simulator sees them: one effective wavelength, one dust coefficient, one flux scale."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bands = NDArray[np.uint8]

WAVELENGTH: Final = np.array([3671.0, 4827.0, 6223.0, 7546.0, 8691.0, 9712.0])
"""Effective wavelengths of ugrizy [Angstrom], from the LSST throughputs (SVO Filter Profile Service, LSST/LSST.*)."""

MILKY_WAY: Final = np.array([4.145, 3.237, 2.273, 1.684, 1.323, 1.088])
"""A_band / E(B-V) of the Schlegel et al. map; Fitzpatrick 1999, R_V 3.1 (Schlafly & Finkbeiner 2011, table 6)."""

ZERO_POINT: Final = 27.5
"""AB magnitude of flux 1 in PLAsTiCC and SNANA (Kessler et al. 2019, PASP 131, 094501)."""


def flux_of(magnitude: Array) -> Array:
    """Flux (zero point 27.5) of AB magnitudes; 0 where infinitely faint."""
    return np.asarray(10.0 ** (0.4 * (ZERO_POINT - magnitude)), dtype=np.float64)
