"""Two stars that eclipse each other: two spheres, tides and reflection."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from training.simulate.bands import WAVELENGTH, Array, Bands
from training.simulate.blackbody import planck
from training.simulate.source import LightCurve, Source

TEMPLATE_EPOCHS = 3
THIRD_LIGHT = (0.2, 0.95)
"""Both fitted to the amplitudes of the real objects, and to where the template lies between their extremes."""


@dataclass(frozen=True)
class Binary:
    """Two stars: radii in units of their circular orbit, inclination [rad], mass ratio, primary's share of the light.

    `share` has shape (6,), one a band.
    """

    radius: float
    other_radius: float
    inclination: float
    mass_ratio: float
    share: Array


def overlap(separation: Array, radius: float, other: float) -> Array:
    """Area common to two discs whose centres are `separation` apart."""
    apart = np.clip(separation, abs(radius - other) + 1e-9, radius + other)
    first = np.arccos(np.clip((apart**2 + radius**2 - other**2) / (2 * apart * radius), -1.0, 1.0))
    second = np.arccos(np.clip((apart**2 + other**2 - radius**2) / (2 * apart * other), -1.0, 1.0))
    lens = radius**2 * (first - np.sin(2 * first) / 2) + other**2 * (second - np.sin(2 * second) / 2)
    return np.where(separation <= abs(radius - other), np.pi * min(radius, other) ** 2, lens)


def brightness(binary: Binary, phase: Array, band: Bands) -> Array:
    """Total light against orbital phase (0 is the eclipse of the primary), 1 outside eclipses for round stars."""
    angle = 2.0 * np.pi * phase
    separation = np.sqrt(np.sin(angle) ** 2 + (np.cos(angle) * np.cos(binary.inclination)) ** 2)
    hidden = overlap(separation, binary.radius, binary.other_radius) / np.pi
    primary_behind = np.cos(angle) > 0
    share = binary.share[band]
    lost = np.where(primary_behind, share * hidden / binary.radius**2, (1.0 - share) * hidden / binary.other_radius**2)
    inclined = np.sin(binary.inclination) ** 2
    tide = (
        0.9
        * inclined
        * (share * binary.mass_ratio * binary.radius**3 + (1 - share) * binary.other_radius**3 / binary.mass_ratio)
    )
    reflected = 0.3 * (1.0 - share) * binary.radius * binary.other_radius
    return np.asarray((1.0 - lost) * (1.0 - tide * np.cos(2 * angle)) - reflected * np.cos(angle), dtype=np.float64)


def eclipsing_binary(rng: Generator, source: Source) -> LightCurve:
    """A detached, semi-detached or contact binary on a circular orbit.

    Eclipses of uniform discs, first-order ellipsoidal variation and reflection after Morris & Naftilan 1993 (ApJ 419,
    344). Periods log-normal around 0.8 days, as LSST detects short ones best (Prsa et al. 2011, AJ 142, 52); the
    closer the pair, the larger the stars in units of their orbit. A third, steady light takes a share; the template
    averages a few epochs.
    """
    period = float(np.clip(np.exp(rng.normal(np.log(0.8), 0.9)), 0.22, 60.0))
    binary = _draw_binary(rng, period)
    own = 1.0 - rng.uniform(*THIRD_LIGHT)
    zero, epochs = rng.random(), rng.random(TEMPLATE_EPOCHS)
    every = np.arange(6, dtype=np.uint8)
    quiet = np.mean([brightness(binary, np.full(6, epoch), every) for epoch in epochs], axis=0)

    def light_curve(mjd: Array, band: Bands) -> Array:
        phase = mjd / period + zero
        return np.asarray(
            own * source.template_flux[band] * (brightness(binary, phase, band) / quiet[band] - 1.0), dtype=np.float64
        )

    return light_curve


def _draw_binary(rng: Generator, period: float) -> Binary:
    """Stars that fill more of their orbit the shorter it is, inclined so that they eclipse at least grazingly."""
    radius = float(np.clip(0.32 * (period / 0.5) ** (-2.0 / 3.0) * np.exp(rng.normal(0.0, 0.25)), 0.03, 0.42))
    ratio = float(np.clip(rng.beta(3.0, 1.5), 0.1, 1.0))
    other = radius * float(np.clip(ratio**0.7 * np.exp(rng.normal(0.0, 0.15)), 0.15, 1.2))
    cosine = rng.random() * min(radius + other, 0.95)
    hot = float(np.exp(rng.normal(np.log(6000.0), 0.2)))
    cool = hot * float(np.clip(ratio ** rng.uniform(0.0, 0.5), 0.5, 1.0))
    first, second = planck(WAVELENGTH, np.array(hot)) * radius**2, planck(WAVELENGTH, np.array(cool)) * other**2
    return Binary(radius, other, float(np.arccos(cosine)), ratio, first / (first + second))
