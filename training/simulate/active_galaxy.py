"""Active galactic nuclei: light that wanders."""

import numpy as np
from numpy.random import Generator

from training.simulate.bands import WAVELENGTH, Array, Bands
from training.simulate.source import LightCurve, Source

STRUCTURE, TIME_SCALE = (-0.51, -0.479, 0.131, 0.18), (2.4, 0.17, 0.03, 0.21)
"""A, B, C, D of their eq. 7: log10 of the asymptotic structure function [mag] and of the rest-frame time scale [d]."""


def damped_walk(rng: Generator, source: Source) -> LightCurve:
    """A quasar as a damped random walk in magnitudes.

    MacLeod et al. 2010 (ApJ 721, 1014, eq. 7 and table 1): asymptotic structure function and time scale from rest
    wavelength, absolute magnitude and black-hole mass (drawn for quasars of that magnitude, as they do). One
    walk drives all bands, its amplitude falling with wavelength; the template is one epoch of it, up to 700 days
    before the survey. Exact at the visits, linear between.
    """
    magnitude = _absolute_i(source)
    mass = rng.normal(2.0 - 0.27 * magnitude, 0.58 + 0.011 * magnitude)
    amplitude = 10.0 ** (_law(STRUCTURE, source, magnitude, mass) + rng.normal(0.0, 0.15))
    days = 10.0 ** float(_law(TIME_SCALE, source, magnitude, mass)[2] + rng.normal(0.0, 0.25))
    memory = days * (1.0 + source.redshift)
    wander = _walk(rng, np.r_[source.visits[0] - rng.uniform(0.0, 700.0), source.visits], memory)

    def light_curve(mjd: Array, band: Bands) -> Array:
        change = amplitude[band] / np.sqrt(2.0) * (np.interp(mjd, source.visits, wander[1:]) - wander[0])
        return np.asarray(source.template_flux[band] * (10.0 ** (-0.4 * change) - 1.0), dtype=np.float64)

    return light_curve


def _absolute_i(source: Source) -> float:
    """Absolute i magnitude of the template, K-corrected to z = 2 for a slope of -0.5 (Richards et al. 2006)."""
    apparent = 27.5 - 2.5 * np.log10(max(float(source.template_flux[3]), 1e-3))
    k_correction = -1.25 * np.log10((1.0 + source.redshift) / 3.0)
    return float(np.clip(apparent - source.distance_modulus - k_correction, -30.0, -18.0))


def _law(terms: tuple[float, ...], source: Source, magnitude: float, mass: float) -> Array:
    """Their eq. 7 for the six bands: log10 of the parameter; `mass` is log10 of solar masses."""
    a, b, c, d = terms
    rest = WAVELENGTH / (1.0 + source.redshift)
    return np.asarray(a + b * np.log10(rest / 4000.0) + c * (magnitude + 23.0) + d * (mass - 9.0), dtype=np.float64)


def _walk(rng: Generator, mjd: Array, memory: float) -> Array:
    """An Ornstein-Uhlenbeck path of unit variance at ascending `mjd`."""
    kept = np.exp(-np.diff(mjd) / memory)
    kicks = rng.standard_normal(len(mjd))
    kicks[1:] *= np.sqrt(1.0 - kept**2)
    path = kicks.tolist()
    for at, share in enumerate(kept.tolist(), start=1):
        path[at] += share * path[at - 1]
    return np.asarray(path, dtype=np.float64)
