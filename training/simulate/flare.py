"""Flares of M dwarfs: minutes to hours of white light."""

import numpy as np
from numpy.random import Generator

from training.simulate.bands import MILKY_WAY, WAVELENGTH, Array, Bands
from training.simulate.blackbody import planck
from training.simulate.source import LightCurve, Source

FLARE_KELVIN = (9000.0, 10000.0)
FLARING_TEMPLATES = 0.15
"""Share of templates that hold a flare: then the quiet star is a negative difference."""


def template(t: Array) -> Array:
    """The flare of Davenport et al. 2014 (ApJ 797, 122, eq. 1 and 4): 1 at its peak, time in half-widths."""
    rise = 1.0 + 1.941 * t - 0.175 * t**2 - 2.246 * t**3 - 1.125 * t**4
    decay = 0.6890 * np.exp(-1.600 * np.maximum(t, 0.0)) + 0.3030 * np.exp(-0.2783 * np.maximum(t, 0.0))
    return np.where(t < -1.0, 0.0, np.where(t < 0.0, np.maximum(rise, 0.0), decay))


def flares(rng: Generator, source: Source) -> LightCurve:
    """A flaring M dwarf: difference flux of several flares, each a hot blackbody in all bands at once.

    Flare shape of Davenport et al. 2014; 9,000 to 10,000 K after Kowalski et al. 2013 (ApJS 207, 15); energies of a
    power law, larger ones longer (Hawley et al. 2014, ApJ 797, 121). A survey meets a flare by chance; here a drawn
    number of flares is put near visits that see them, as many and as bright as the real objects need.
    """
    colour = planck(WAVELENGTH, np.array(rng.uniform(*FLARE_KELVIN))) * 10.0 ** (
        -0.4 * MILKY_WAY * source.milky_way_ebv
    )
    colour = colour / colour[2]
    number = 2 + int(np.exp(rng.normal(1.5, 1.1)))
    peak = 8.0 * rng.pareto(0.75, number) + 8.0
    width = 0.004 * (peak / 30.0) ** 0.3 * np.exp(rng.normal(0.0, 0.7, number))
    in_template = 8.0 * rng.pareto(1.0) if rng.random() < FLARING_TEMPLATES else 0.0
    onset = rng.choice(source.visits, number) - (rng.exponential(1.2, number) - 0.5) * width

    def light_curve(mjd: Array, band: Bands) -> Array:
        when = (mjd[:, None] - onset) / width
        return np.asarray(colour[band] * ((template(when) * peak).sum(axis=1) - in_template), dtype=np.float64)

    return light_curve
