"""Exploding white dwarfs: type Ia supernovae, and the faint 1991bg-like and Iax ones."""

import numpy as np
from numpy.random import Generator

from training.simulate.bands import Array
from training.simulate.blackbody import Photosphere, cooling, glowing, through
from training.simulate.dust import extinction
from training.simulate.ia_surface import ia_surface
from training.simulate.source import LightCurve, Source
from training.simulate.transient import Emission, seen

B_BAND, V_BAND = 4400.0, 5450.0


def normal_ia(rng: Generator, source: Source) -> LightCurve:
    """A normal type Ia supernova: a mean spectral surface, stretched, coloured and scattered.

    Peak M_B = -19.36 AB - 0.14 x1 + 3.1 c (Betoule et al. 2014, A&A 568, A22), populations of x1 and c after Scolnic &
    Kessler 2016 (ApJ 822, L35), intrinsic scatter 0.1 mag; stretch of x1 after Guy et al. 2007 (A&A 466, 11).
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
        return peak + ia_surface(days / stretch, wavelength) + reddening + tilt * (wavelength - B_BAND) / 1e3

    return emission


def bg91(rng: Generator, source: Source) -> LightCurve:
    """A 1991bg-like supernova: fast, faint, red, without a second maximum.

    Light curve after Taubenberger 2017 (Handbook of Supernovae, 317), colours of a photosphere cooling from 9,000 to
    4,500 K with the titanium trough in the blue; M_V = -17.9 and 12 % slower, as PLAsTiCC's training objects are.
    """
    stretch = rng.normal(1.12, 0.1)
    peak = -17.9 + rng.normal(0.0, 0.35) - 1.5 * (stretch - 1.12)
    days = np.array([-14, -12, -10, -7, -5, -3, 0, 3, 5, 7, 10, 15, 20, 25, 30, 40, 60, 100]) * stretch
    fall = np.array([6, 3.2, 1.75, 0.75, 0.38, 0.12, 0, 0.13, 0.32, 0.6, 1.02, 1.55, 1.95, 2.3, 2.55, 2.95, 3.6, 4.8])
    heat = cooling(np.array([-12, -3, 3, 10, 15, 25, 60.0]), np.array([9000, 8300, 7000, 5200, 4700, 4500, 4700.0]))
    emission = glowing(peak, V_BAND, through(days, fall, 0.025), Photosphere(heat, 5600.0, 0.75))
    return seen(source, emission, host_av=rng.exponential(0.08))


def iax(rng: Generator, source: Source) -> LightCurve:
    """A type Iax supernova: slow ejecta, a wide range of luminosity, no second maximum.

    Jha 2017 (Handbook of Supernovae, 375): M_V down from -18.4, brighter ones slower, hot before maximum and redder
    than normal supernovae from a week after it; a distribution that favours the bright end, as PLAsTiCC's objects do.
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
    emission = glowing(peak, V_BAND, through(days, fall, 0.017), Photosphere(heat, 4300.0, 0.8))
    return seen(source, emission, host_av=rng.exponential(0.15))


def _skewed(rng: Generator, mode: float, left: float, right: float) -> float:
    """A draw of the two-sided Gaussian that falls with `left` below and `right` above its mode."""
    size = abs(rng.standard_normal())
    return float(mode - left * size if rng.random() < left / (left + right) else mode + right * size)
