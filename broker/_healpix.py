"""In which HEALPix cell a position lies (Gorski et al. 2005, ApJ 622, 759): nested numbering, ICRS."""

import numpy as np
from numpy.typing import NDArray

DEEPEST = 29
"""The finest order that 64-bit numbers reach: cells of 0.4 milliarcseconds."""

Pixels = NDArray[np.int64]


def pixels(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> Pixels:
    """The cells of order `DEEPEST` of positions [deg], shape (n,)."""
    import cdshealpix  # with astropy it takes a while to load
    from astropy import units
    from astropy.coordinates import Latitude, Longitude

    found = cdshealpix.lonlat_to_healpix(Longitude(ra, units.deg), Latitude(dec, units.deg), DEEPEST)
    return np.asarray(found, dtype=np.int64)
