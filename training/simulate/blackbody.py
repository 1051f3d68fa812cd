"""Glowing photospheres: colours and absolute magnitudes of blackbodies, with the ultraviolet held back by metals."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.simulate.bands import Array
from training.simulate.transient import Emission

_HC_OVER_K = 1.438777e8
"""Second radiation constant [Angstrom K]."""
_SIGMA = 5.670374e-5
"""Stefan-Boltzmann constant [erg / (s cm2 K4)]."""
_TEN_PARSEC = 3.085678e19
"""[cm]"""
_LIGHT = 2.997925e18
"""[Angstrom / s]"""
_TWO_H = 2 * 6.62607e-27
"""[erg s]"""

Curve = Callable[[Array], Array]
"""A quantity against days."""


def planck(wavelength: Array, temperature: Array) -> Array:
    """Planck's law B_nu [erg / (s cm2 Hz sr)] of wavelength [Angstrom] and temperature [K]."""
    frequency = _LIGHT / wavelength
    squared = _TWO_H * frequency**3 / 2.997925e10**2
    return np.asarray(squared / np.expm1(np.minimum(_HC_OVER_K / (wavelength * temperature), 600.0)), dtype=np.float64)


def absolute_magnitude(luminosity: Array, temperature: Array, wavelength: Array) -> Array:
    """Absolute AB magnitude of a blackbody of bolometric `luminosity` [erg / s]; infinite where that is 0."""
    area = luminosity / (4.0 * _SIGMA * temperature**4)
    with np.errstate(divide="ignore"):
        magnitude = -2.5 * np.log10(planck(wavelength, temperature) * area / _TEN_PARSEC**2) - 48.6
    return np.asarray(magnitude, dtype=np.float64)


def blanketing(wavelength: Array, below: float, strength: float) -> Array:
    """Magnitudes that metal lines take from the light below a wavelength; `strength` mag at 1000 Angstrom below it."""
    depth = np.maximum(below - wavelength, 0.0) / 1000.0
    return np.asarray(strength * depth**1.5, dtype=np.float64)


@dataclass(frozen=True)
class Photosphere:
    """Colours: a blackbody's of `temperature` [K] against days, with `blanketing` of `strength` `below`."""

    temperature: Curve
    below: float
    strength: float


def glowing(peak: float, pivot: float, shape: Curve, photosphere: Photosphere) -> Emission:
    """An emission with a known light curve at one wavelength, and a photosphere's colours.

    Parameters
    ----------
    peak : absolute AB magnitude at maximum, at the wavelength `pivot` [Angstrom].
    shape : magnitudes below maximum at the pivot, against rest-frame days since maximum.
    """
    at_pivot, below, strength = np.array(pivot), photosphere.below, photosphere.strength
    held_back_at_pivot = blanketing(at_pivot, below, strength)

    def emission(days: Array, wavelength: Array) -> Array:
        heat = photosphere.temperature(days)
        colour = -2.5 * np.log10(planck(wavelength, heat) / planck(at_pivot, heat))
        return peak + shape(days) + colour + blanketing(wavelength, below, strength) - held_back_at_pivot

    return emission


def through(days: Array, values: Array, slope: float = 0.0) -> Curve:
    """A curve through points: linear between them, infinite before the first, going on with `slope` after the last."""

    def curve(at: Array) -> Array:
        inside = np.interp(at, days, values, left=np.inf)
        return np.asarray(inside + slope * np.maximum(at - days[-1], 0.0), dtype=np.float64)

    return curve


def cooling(days: Array, kelvin: Array, factor: float = 1.0) -> Curve:
    """A temperature through points, constant outside them."""
    return lambda at: factor * np.interp(at, days, kelvin)
