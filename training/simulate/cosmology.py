"""The distance of a redshift, in PLAsTiCC's cosmology."""

from functools import cache

import numpy as np

from training.simulate.bands import Array

H0, MATTER = 70.0, 0.3
"""Flat; the true distance moduli of the 5,523 extragalactic PLAsTiCC training objects agree to 0.005 mag."""


def distance_modulus(redshift: Array) -> Array:
    """Luminosity distance modulus [mag], for redshifts from 0.0005 to 5."""
    grid, modulus = _table()
    return np.asarray(np.interp(np.log(redshift), grid, modulus), dtype=np.float64)


@cache
def _table() -> tuple[Array, Array]:
    from astropy.cosmology import FlatLambdaCDM

    redshift = np.geomspace(5e-4, 5.0, 2000)
    return np.log(redshift), np.asarray(FlatLambdaCDM(H0=H0, Om0=MATTER).distmod(redshift).value)
