"""How far away is a redshift? Distance moduli, from a table that is filled once."""

from functools import lru_cache

import numpy as np

from features._jit import Floats, Ints, frozen, kernel

H0, OMEGA_M = 70.0, 0.3
"""Hubble constant [km / s / Mpc] and matter density of flat LCDM: the cosmology of PLAsTiCC's simulation
(Kessler et al. 2019, PASP 131, 094501). Planck 2018's moduli differ from it by less than 0.1 mag."""

NEAREST, FARTHEST = 1e-4, 20.0
"""Redshifts between which distances are given."""

SPEED_OF_LIGHT = 299792.458
"""[km / s], exact."""

_NODES = 4000


def distance_modulus(redshift: Floats) -> Floats:
    """Distance modulus [mag] of a redshift.

    Parameters
    ----------
    redshift : float64 array, shape (n,)

    Returns
    -------
    float64 array, shape (n,)
        Within 1e-5 mag of astropy's `FlatLambdaCDM` (whose import alone takes every worker seconds). NaN where the
        redshift isn't known or outside `NEAREST` to `FARTHEST`, as for the 0 that PLAsTiCC gives to what lies in the
        Milky Way.
    """
    nodes, moduli = _table()
    out = np.full(len(redshift), np.nan)
    _interpolate(frozen(redshift), frozen(np.searchsorted(nodes, redshift, side="right")), nodes, moduli, out)
    return out


@lru_cache(maxsize=1)
def _table() -> tuple[Floats, Floats]:
    """Luminosity distance (1 + z) c / H0 int dz / E(z): Hogg 1999 (astro-ph/9905116), eq. 14 to 21; Simpson's rule."""
    nodes = np.geomspace(NEAREST, FARTHEST, _NODES)
    edges = np.concatenate([[0.0], nodes])
    middles, widths = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    slices = widths / 6.0 * (_inverse_e(edges[:-1]) + 4.0 * _inverse_e(middles) + _inverse_e(edges[1:]))
    megaparsecs = (1.0 + nodes) * SPEED_OF_LIGHT / H0 * np.cumsum(slices)
    return frozen(nodes), frozen(5.0 * np.log10(megaparsecs) + 25.0)


def _inverse_e(redshift: Floats) -> Floats:
    return 1.0 / np.sqrt(OMEGA_M * (1.0 + redshift) ** 3 + 1.0 - OMEGA_M)


@kernel
def _interpolate(redshift: Floats, above: Ints, nodes: Floats, moduli: Floats, out: Floats) -> None:
    for k in range(len(redshift)):
        hi = above[k]
        if 0 < hi < len(nodes):
            share = (redshift[k] - nodes[hi - 1]) / (nodes[hi] - nodes[hi - 1])
            out[k] = moduli[hi - 1] + share * (moduli[hi] - moduli[hi - 1])
