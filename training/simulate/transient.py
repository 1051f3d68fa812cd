"""From what an explosion emits to what LSST sees of it: redshift, distance, and dust on the way."""

from collections.abc import Callable

import numpy as np

from training.simulate.bands import MILKY_WAY, WAVELENGTH, Array, Bands, flux_of
from training.simulate.dust import extinction
from training.simulate.source import LightCurve, Source

Emission = Callable[[Array, Array], Array]
"""From days since maximum light and wavelength [Angstrom], both in the rest frame, to absolute AB magnitude."""


def seen(source: Source, emission: Emission, host_av: float = 0.0, host_rv: float = 3.1) -> LightCurve:
    """The light curve of `emission` at the source's redshift.

    Rest-frame time is dilated by 1 + z, each band looks at its effective wavelength / (1 + z), and the flux density
    gains (1 + z) because frequencies are squeezed (Hogg et al. 2002, astro-ph/0210394).

    Parameters
    ----------
    host_av, host_rv : extinction A_V [mag] and R_V in the host galaxy.
    """
    stretch = 1.0 + source.redshift
    rest = WAVELENGTH / stretch
    dimming = source.distance_modulus - 2.5 * np.log10(stretch) + MILKY_WAY * source.milky_way_ebv
    if host_av:
        dimming = dimming + host_av * extinction(rest, host_rv)

    def light_curve(mjd: Array, band: Bands) -> Array:
        days = (mjd - source.peak_mjd) / stretch
        return flux_of(emission(days, rest[band]) + dimming[band])

    return light_curve
