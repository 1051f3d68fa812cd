"""Merging neutron stars: days of light from freshly made heavy elements."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from training.simulate.bands import Array, flux_of
from training.simulate.blackbody import absolute_magnitude
from training.simulate.diffusion import DAY, LIGHT, SUN, diffusion_days, emerging, photosphere_temperature
from training.simulate.source import LightCurve, Source
from training.simulate.transient import Emission, seen

_DAYS = np.geomspace(0.005, 60.0, 250)


@dataclass(frozen=True)
class Ejecta:
    """Mass [solar masses], velocity [c], opacity [cm2 / g], temperature floor [K]."""

    mass: float
    velocity: float
    opacity: float
    floor: float


def kilonova(rng: Generator, source: Source) -> LightCurve:
    """A kilonova of a fast blue and a slower red component.

    Heating by the r-process and its thermalisation after Korobkin et al. 2012 and Barnes et al. 2016, as written in
    Villar et al. 2017 (ApJ 851, L21), masses and velocities around their fit to GW170817; two components
    as in Kasen et al. 2017 (Nature 551, 80). Opacities fitted to the real PLAsTiCC objects.
    """
    blue = Ejecta(
        _around(rng, 0.025, 0.7), float(np.clip(rng.normal(0.23, 0.05), 0.1, 0.38)), _around(rng, 0.7, 0.7), 2500.0
    )
    red = Ejecta(
        _around(rng, 0.020, 1.0), float(np.clip(rng.normal(0.12, 0.04), 0.05, 0.25)), _around(rng, 8.0, 0.4), 2500.0
    )
    return seen(source, _together((blue, red)), host_av=min(rng.exponential(0.12), 0.6))


def _around(rng: Generator, centre: float, scatter: float) -> float:
    return float(centre * np.exp(rng.normal(0.0, scatter)))


def _luminosity(ejecta: Ejecta) -> Array:
    """Bolometric luminosity [erg / s] on `_DAYS` since the merger."""
    mass, velocity = ejecta.mass * SUN, ejecta.velocity * LIGHT
    seconds = _DAYS * DAY
    heating = 4e18 * mass * (0.5 - np.arctan((seconds - 1.3) / 0.11) / np.pi) ** 1.3
    spread = 2.0 * 0.17 * _DAYS**0.74
    kept = np.exp(-0.56 * _DAYS) + np.log1p(spread) / spread
    return emerging(_DAYS, heating * 0.36 * kept, diffusion_days(mass, velocity, ejecta.opacity))


def _together(components: tuple[Ejecta, ...]) -> Emission:
    lights = [_luminosity(ejecta) for ejecta in components]
    heats = [
        photosphere_temperature(light, _DAYS, ejecta.velocity * LIGHT, ejecta.floor)
        for light, ejecta in zip(lights, components, strict=True)
    ]
    peak = _DAYS[int(np.argmax(np.sum(lights, axis=0)))]

    def emission(days: Array, wavelength: Array) -> Array:
        at = days + peak
        total = np.zeros_like(days)
        for light, heat in zip(lights, heats, strict=True):
            shining = np.interp(at, _DAYS, light, left=0.0, right=0.0)
            total += flux_of(absolute_magnitude(shining, np.interp(at, _DAYS, heat), wavelength))
        with np.errstate(divide="ignore"):
            return np.asarray(27.5 - 2.5 * np.log10(total), dtype=np.float64)

    return emission
