"""Exploding white dwarfs: type Ia supernovae, and the faint 1991bg-like and Iax ones."""

import numpy as np
from numpy.random import Generator

from training.simulate.bands import Array
from training.simulate.blackbody import cooling, photosphere, through
from training.simulate.dust import extinction
from training.simulate.source import LightCurve, Source
from training.simulate.transient import Emission, seen

B_BAND, V_BAND = 4400.0, 5450.0

# Magnitudes below B maximum against days since it, one row a rest-frame wavelength, read off the published mean
# templates; the ultraviolet rows follow Foley et al. 2016, the infrared ones the double-peaked curves of Krisciunas.
_DAYS = np.array([-20, -17, -15, -12, -10, -7, -5, -2, 0, 3, 7, 10, 15, 20, 25, 30, 35, 40, 50, 60, 80, 100.0])
_WAVES = np.array([2000, 2500, 3000, 3600, 4400, 5450, 6500, 8000, 9100, 10400, 12500.0])
_AT_PEAK = np.array([5.0, 3.1, 1.55, 0.42, 0.0, 0.14, 0.30, 0.78, 0.80, 1.25, 1.55])
_B = [
    6.5,
    4.2,
    2.7,
    1.35,
    0.8,
    0.33,
    0.15,
    0.02,
    0,
    0.08,
    0.36,
    0.65,
    1.15,
    1.72,
    2.2,
    2.58,
    2.83,
    2.97,
    3.15,
    3.3,
    3.62,
    3.92,
]
_U = [
    6.5,
    4.0,
    2.4,
    1.0,
    0.52,
    0.14,
    0.03,
    0.0,
    0.08,
    0.25,
    0.65,
    1.05,
    1.75,
    2.35,
    2.85,
    3.15,
    3.35,
    3.5,
    3.7,
    3.85,
    4.1,
    4.4,
]
_V = [
    6.2,
    4.0,
    2.5,
    1.3,
    0.82,
    0.38,
    0.2,
    0.06,
    0.02,
    0.02,
    0.14,
    0.3,
    0.6,
    0.92,
    1.24,
    1.6,
    1.87,
    2.05,
    2.35,
    2.62,
    3.15,
    3.65,
]
_R = [
    6.0,
    3.9,
    2.5,
    1.28,
    0.8,
    0.35,
    0.18,
    0.03,
    0,
    0.02,
    0.12,
    0.3,
    0.6,
    0.68,
    0.75,
    0.98,
    1.28,
    1.52,
    1.9,
    2.25,
    2.9,
    3.5,
]
_I = [
    6.0,
    3.8,
    2.35,
    1.15,
    0.67,
    0.24,
    0.08,
    -0.02,
    0,
    0.08,
    0.3,
    0.52,
    0.65,
    0.55,
    0.48,
    0.62,
    0.92,
    1.2,
    1.65,
    2.05,
    2.8,
    3.4,
]
_Z = [
    6.0,
    3.8,
    2.35,
    1.15,
    0.67,
    0.22,
    0.05,
    -0.03,
    0,
    0.12,
    0.4,
    0.6,
    0.65,
    0.45,
    0.3,
    0.4,
    0.72,
    1.0,
    1.45,
    1.9,
    2.7,
    3.4,
]
_Y = [
    6.0,
    3.7,
    2.3,
    1.1,
    0.6,
    0.15,
    0.0,
    -0.05,
    0,
    0.25,
    0.65,
    0.85,
    0.7,
    0.35,
    0.02,
    -0.05,
    0.3,
    0.65,
    1.25,
    1.8,
    2.8,
    3.7,
]
_J = [6.0, 3.7, 2.3, 1.1, 0.6, 0.12, -0.03, -0.05, 0, 0.4, 1.1, 1.5, 1.65, 1.4, 1.1, 1.0, 1.4, 1.8, 2.5, 3.1, 4.1, 5.0]
_UV = [
    6.5,
    4.2,
    2.5,
    1.0,
    0.5,
    0.12,
    0.0,
    0.02,
    0.12,
    0.4,
    0.95,
    1.4,
    2.1,
    2.65,
    3.0,
    3.25,
    3.4,
    3.5,
    3.7,
    3.9,
    4.2,
    4.5,
]
_SURFACE = np.array([_UV, _UV, _UV, _U, _B, _V, _R, _I, _Z, _Y, _J]) + _AT_PEAK[:, None]
_LATE_SLOPE = 0.015


def normal_ia(rng: Generator, source: Source) -> LightCurve:
    """A normal type Ia supernova: a mean spectral surface, stretched, coloured and scattered.

    Surface: B, V, R, I after Nugent et al. 2002 (PASP 114, 803) and Hsiao et al. 2007 (ApJ 663, 1187), Y and J after
    Krisciunas et al. 2004 (AJ 128, 3034), ultraviolet after Foley et al. 2016 (MNRAS 461, 1308). Peak M_B = -19.36 AB
    - 0.14 x1 + 3.1 c (Betoule et al. 2014, A&A 568, A22), populations of x1 and c after Scolnic & Kessler 2016
    (ApJ 822, L35), intrinsic scatter 0.1 mag. The second maximum grows with x1 and moves later.
    """
    x1 = _skewed(rng, 0.97, 1.47, 0.22)
    colour = _skewed(rng, -0.054, 0.043, 0.101)
    peak = -19.36 - 0.14 * x1 + 3.1 * colour + rng.normal(0.0, 0.1)
    tilt = rng.normal(0.0, 0.04)
    return seen(source, _ia_emission(peak, 0.98 + 0.091 * x1 + 0.003 * x1**2, colour, tilt))


def _ia_emission(peak: float, stretch: float, colour: float, tilt: float) -> Emission:
    """The surface at a stretch; `colour` is E(B-V)-like, `tilt` a grey-free scatter of colour [mag / 1000 Angstrom]."""

    def emission(days: Array, wavelength: Array) -> Array:
        reddening = colour * 3.1 * (extinction(wavelength, 3.1) - extinction(np.array(B_BAND), 3.1))
        return peak + _ia_surface(days / stretch, wavelength) + reddening + tilt * (wavelength - B_BAND) / 1e3

    return emission


def _ia_surface(days: Array, wavelength: Array) -> Array:
    """Magnitudes relative to B maximum, linear between the table's days and wavelengths."""
    left = np.clip(np.searchsorted(_WAVES, wavelength) - 1, 0, len(_WAVES) - 2)
    weight = (wavelength - _WAVES[left]) / (_WAVES[left + 1] - _WAVES[left])
    below, above = _at(days, left), _at(days, left + 1)
    late = _LATE_SLOPE * np.maximum(days - _DAYS[-1], 0.0)
    return np.where(days < _DAYS[0], np.inf, below + weight * (above - below) + late)


def _at(days: Array, row: Array) -> Array:
    """Each point's magnitude in its own row of the surface."""
    right = np.clip(np.searchsorted(_DAYS, days), 1, len(_DAYS) - 1)
    share = np.clip((days - _DAYS[right - 1]) / (_DAYS[right] - _DAYS[right - 1]), 0.0, 1.0)
    early, late = _SURFACE[row, right - 1], _SURFACE[row, right]
    return np.asarray(early + share * (late - early), dtype=np.float64)


def bg91(rng: Generator, source: Source) -> LightCurve:
    """A 1991bg-like supernova: fast, faint, red, without a second maximum.

    Light curve and M_B around -17.2 after Taubenberger 2017 (Handbook of Supernovae, 317), colours of a photosphere
    cooling from 9,000 to 4,300 K with the titanium trough in the blue.
    """
    stretch = rng.normal(1.12, 0.1)
    peak = -17.9 + rng.normal(0.0, 0.35) - 1.5 * (stretch - 1.12)
    days = np.array([-14, -12, -10, -7, -5, -3, 0, 3, 5, 7, 10, 15, 20, 25, 30, 40, 60, 100]) * stretch
    fall = np.array([6, 3.2, 1.75, 0.75, 0.38, 0.12, 0, 0.13, 0.32, 0.6, 1.02, 1.55, 1.95, 2.3, 2.55, 2.95, 3.6, 4.8])
    heat = cooling(np.array([-12, -3, 3, 10, 15, 25, 60.0]), np.array([9000, 8300, 7000, 5200, 4700, 4500, 4700.0]))
    emission = photosphere(peak, V_BAND, through(days, fall, 0.025), heat, 5600.0, 0.75)
    return seen(source, emission, host_av=rng.exponential(0.08))


def iax(rng: Generator, source: Source) -> LightCurve:
    """A type Iax supernova: slow ejecta, a wide range of luminosity, no second maximum.

    Jha 2017 (Handbook of Supernovae, 375): M_V from -14 to -18.9, brighter ones slower (fall in 15 days of B from 2.3 to
    1.2 mag), hot before maximum and redder than normal supernovae from a week after it.
    """
    peak = -18.4 + min(rng.exponential(0.7), 4.5)
    stretch = np.clip(1.05 + 0.10 * (-17.5 - peak) + rng.normal(0.0, 0.12), 0.6, 1.4)
    days = np.array([-16, -14, -12, -10, -7, -5, -2, 0, 3, 7, 10, 15, 20, 25, 30, 40, 60, 100]) * stretch
    fall = np.array([6, 3, 1.9, 1.2, 0.55, 0.3, 0.05, 0, 0.05, 0.28, 0.52, 0.95, 1.3, 1.6, 1.8, 2.1, 2.5, 3.2])
    heat = cooling(
        np.array([-14, -5, 0, 7, 15, 25, 60.0]),
        np.array([12500, 11000, 9500, 7000, 5600, 5100, 4800.0]),
        rng.normal(1, 0.06),
    )
    emission = photosphere(peak, V_BAND, through(days, fall, 0.017), heat, 4300.0, 0.8)
    return seen(source, emission, host_av=rng.exponential(0.15))


def _skewed(rng: Generator, mode: float, left: float, right: float) -> float:
    """A draw of the two-sided Gaussian that falls with `left` below and `right` above its mode."""
    size = abs(rng.standard_normal())
    return float(mode - left * size if rng.random() < left / (left + right) else mode + right * size)
