"""Gravitational microlensing: a star brightened by a lens passing in front of it, equally in all bands."""

import numpy as np
from numpy.random import Generator

from training.simulate.bands import Array, Bands
from training.simulate.source import LightCurve, Source

BLENDED, LENSED_TEMPLATES = 0.5, 0.07
"""Shares of events with light of other stars in them, and of templates taken during the event."""


def magnification(separation: Array) -> Array:
    """Of a point source by a point lens, against separation in Einstein radii (Paczynski 1986, ApJ 304, 1)."""
    return np.asarray((separation**2 + 2.0) / (separation * np.sqrt(separation**2 + 4.0)), dtype=np.float64)


def microlensing(rng: Generator, source: Source) -> LightCurve:
    """A single-lens event with blended light.

    Einstein times log-normal around 20 days (Mroz et al. 2019, ApJS 244, 29), impact parameters uniform. The template
    may have been taken during the event: then the difference is negative away from it.
    """
    crossing = float(np.exp(rng.normal(np.log(20.0), 0.8)))
    impact = rng.uniform(0.005, 1.1)
    own = rng.uniform(0.3, 1.0) if rng.random() < BLENDED else 1.0
    reference = rng.normal(0.0, 1.5) * crossing if rng.random() < LENSED_TEMPLATES else -3000.0

    def amplification(days: Array) -> Array:
        return magnification(np.sqrt(impact**2 + (days / crossing) ** 2))

    template = float(amplification(np.array(reference)))

    def light_curve(mjd: Array, band: Bands) -> Array:
        gain = amplification(mjd - source.peak_mjd) - template
        lensed = own * source.template_flux[band] / (1.0 + own * (template - 1.0))
        return np.asarray(lensed * gain, dtype=np.float64)

    return light_curve
