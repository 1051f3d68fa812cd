"""Superluminous supernovae of type I: a young magnetar heats the ejecta."""

import numpy as np
from numpy.random import Generator

from training.simulate.bands import Array
from training.simulate.blackbody import absolute_magnitude, blanketing
from training.simulate.diffusion import DAY, SUN, diffusion_days, emerging, photosphere_temperature
from training.simulate.source import LightCurve, Source
from training.simulate.transient import Emission, seen


def magnetar(rng: Generator, source: Source) -> LightCurve:
    """A magnetar-powered supernova.

    Spin-down heating of Kasen & Bildsten 2010 (ApJ 717, 245, eq. 1 and 2) and Inserra et al. 2013 (ApJ 770, 128);
    spins, fields, ejecta masses and temperature floors around those of Nicholl et al. 2017 (ApJ 850, 55), spins faster
    and ultraviolet absorption below 3000 Angstrom weaker, as the real PLAsTiCC objects are bluer and brighter.
    """
    spin = float(np.clip(np.exp(rng.normal(np.log(1.45), 0.4)), 0.8, 7.0))
    field = float(np.clip(np.exp(rng.normal(np.log(1.0), 0.6)), 0.2, 6.0))
    mass = float(np.clip(np.exp(rng.normal(np.log(5.5), 0.5)), 2.0, 20.0)) * SUN
    velocity = float(np.clip(rng.normal(1.15e9, 2.0e8), 6e8, 1.8e9))
    floor = float(np.clip(rng.normal(6800.0, 900.0), 4500.0, 9500.0))
    diffusion = diffusion_days(mass, velocity, 0.15)
    return seen(source, _emission(spin, field, diffusion, velocity, floor), host_av=min(rng.exponential(0.12), 1.0))


def _emission(spin: float, field: float, diffusion: float, velocity: float, floor: float) -> Emission:
    """`spin` [ms], `field` [1e14 G], `diffusion` [d], `velocity` [cm / s], `floor` [K]."""
    days = np.geomspace(0.1, 1500.0, 400)
    energy, clock = 2.0e52 * spin**-2, 4.7 * spin**2 * field**-2
    heating = energy / (clock * DAY) / (1.0 + days / clock) ** 2
    leaking = -np.expm1(-((6.0 * diffusion / days) ** 2))
    luminosity = emerging(days, heating, diffusion) * leaking
    peak = days[int(np.argmax(luminosity))]
    temperature = photosphere_temperature(luminosity, days, velocity, floor)

    def emission(since_peak: Array, wavelength: Array) -> Array:
        at = since_peak + peak
        light = np.interp(at, days, luminosity, left=0.0)
        heat = np.interp(at, days, temperature)
        return absolute_magnitude(light, heat, wavelength) + blanketing(wavelength, 3000.0, 0.35)

    return emission
