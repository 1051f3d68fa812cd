"""Collapsing massive stars: stripped-envelope supernovae, and those with hydrogen."""

import numpy as np
from numpy.random import Generator

from training.simulate.bands import Array
from training.simulate.blackbody import Curve, Photosphere, cooling, glowing, through
from training.simulate.source import LightCurve, Source
from training.simulate.transient import seen

V_BAND, R_BAND = 5450.0, 6500.0
BROAD_LINED, FAST_RISERS = 0.1, 0.65
"""Shares of the stripped and of the interacting supernovae."""
TYPE_IIN = 3
"""PLAsTiCC's submodel number of the interacting supernovae in class 42."""


def stripped(rng: Generator, source: Source) -> LightCurve:
    """A type Ib or Ic supernova.

    R light curve, its spread of width and M_R = -17.9 to -18.3 +- 0.9 (Ib and Ic; one in ten broad-lined at -18.9)
    after Drout et al. 2011 (ApJ 741, 97); colours of a photosphere cooling from 9,500 to 5,000 K, after the
    intrinsic colours of Stritzinger et al. 2018 (A&A 609, A135); host dust exponential in A_V.
    """
    peak = (-18.9 if rng.random() < BROAD_LINED else -17.9) + rng.normal(0.0, 0.75)
    width = np.exp(rng.normal(0.0, 0.2))
    days = np.array([-22, -19, -16, -12, -8, -5, 0, 5, 10, 15, 20, 25, 30, 40, 60, 100]) * width
    fall = np.array([6, 2.6, 1.6, 0.8, 0.33, 0.12, 0, 0.1, 0.33, 0.66, 1.0, 1.27, 1.48, 1.75, 2.15, 2.9])
    heat = cooling(
        width * np.array([-18, -8, 0, 8, 15, 25, 40, 80.0]),
        np.array([11000, 9000, 7400, 6100, 5300, 4900, 5100, 5500.0]),
        rng.normal(1.0, 0.07),
    )
    emission = glowing(peak, R_BAND, through(days, fall, rng.uniform(0.012, 0.022)), Photosphere(heat, 4400.0, 0.85))
    return seen(source, emission, host_av=min(rng.exponential(0.25), 2.5))


def hydrogen_rich(rng: Generator, source: Source) -> LightCurve:
    """A type II supernova: plateau or linear decline as one continuous family, or of type IIn.

    Anderson et al. 2014 (ApJ 786, 67): plateau slope 1.3 mag / 100 d and length 84 d, brighter ones steeper and
    shorter; rises of about 7 to 15 days (Gonzalez-Gaitan et al. 2015, MNRAS 451, 2212); a tail of cobalt. M_V = -17.3
    is 0.5 mag brighter than their mean, as PLAsTiCC's training objects are.
    """
    if source.submodel == TYPE_IIN:
        return interacting(rng, source)
    peak = -17.3 + rng.normal(0.0, 0.85)
    slope = max((1.3 - 0.9 * (peak + 16.9) * 0.8 + rng.normal(0.0, 0.6)) / 100.0, 0.001)
    length = float(np.clip(90.0 - 900.0 * (slope - 0.013) + rng.normal(0.0, 12.0), 35.0, 140.0))
    rise = rng.uniform(5.0, 14.0)
    shape = _plateau(rise, slope, length, drop=rng.uniform(1.2, 2.3))
    days = np.array([-10, -5, 0, 10, 20, 35, 50, 80, 130.0]) + 10.0 - rise
    heat = cooling(days, np.array([20000, 15000, 12000, 9500, 7800, 6300, 5600, 5100, 4900.0]), rng.normal(1.0, 0.08))
    emission = glowing(peak, V_BAND, shape, Photosphere(heat, 4000.0, 0.5 + 0.4 * rng.random()))
    return seen(source, emission, host_av=rng.exponential(0.12))


def interacting(rng: Generator, source: Source) -> LightCurve:
    """A type IIn supernova: slow, bright, blue for months.

    Nyholm et al. 2020 (A&A 637, A73): rises of 20 or 50 days, M_r = -19.2 +- 0.9; slow or fast decline; photospheres
    that cool from 13,000 to 7,000 K (Taddia et al. 2013, A&A 555, A10).
    """
    peak = -19.1 + rng.normal(0.0, 0.9)
    rise = float(np.exp(rng.normal(np.log(20.0 if rng.random() < FAST_RISERS else 50.0), 0.25)))
    slope = float(np.exp(rng.normal(np.log(0.022), 0.55)))
    days = np.array([-1.15, -1.0, -0.8, -0.5, -0.25, 0.0]) * rise
    fall = np.array([6.0, 2.5, 1.2, 0.4, 0.1, 0.0])
    later = np.array([10.0, 30.0, 200.0])
    shape = through(np.r_[days, later], np.r_[fall, 3 * slope, 23 * slope, 170 * slope], slope)
    heat = cooling(
        np.array([-1.0, 0.0, 1.0, 3.0, 6.0]) * rise, np.array([15000, 12000, 10000, 7800, 6800.0]), rng.normal(1, 0.1)
    )
    return seen(source, glowing(peak, R_BAND, shape, Photosphere(heat, 3300.0, 0.4)), host_av=rng.exponential(0.15))


def _plateau(rise: float, slope: float, length: float, drop: float) -> Curve:
    """Rise, plateau of a length and slope [mag / d], smooth drop onto the tail of 0.98 mag / 100 d."""

    def shape(days: Array) -> Array:
        early = np.clip((days + rise) / rise, 1e-6, 1.0)
        rising = -2.5 * np.log10(1.0 - (1.0 - early) ** 2.5)
        after = np.maximum(days, 0.0)
        fallen = drop / (1.0 + np.exp(-(after - length) / 5.0))
        decline = slope * np.minimum(after, length) + 0.0098 * np.maximum(after - length, 0.0)
        return np.where(days < -rise, np.inf, rising + fallen + decline)

    return shape
