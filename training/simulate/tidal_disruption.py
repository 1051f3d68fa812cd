"""Stars torn apart by black holes in the centres of galaxies."""

import numpy as np
from numpy.random import Generator

from training.simulate.bands import Array
from training.simulate.blackbody import absolute_magnitude
from training.simulate.source import LightCurve, Source
from training.simulate.transient import seen


def tidal_disruption(rng: Generator, source: Source) -> LightCurve:
    """A tidal disruption event: a hot blackbody that fades as t^(-5/3) and hardly cools.

    Fallback decline of Rees 1988 (Nature 333, 523), Gaussian rise, temperatures of 11,000 to 45,000 K after van Velzen
    et al. 2021 (ApJ 908, 4) and Mockler et al. 2019 (ApJ 872, 151); luminosities and the short time scales are fitted
    to the real PLAsTiCC objects, which fade within months.
    """
    luminosity = 10.0 ** float(np.clip(rng.normal(43.98, 0.3), 42.8, 45.2))
    temperature = float(np.clip(np.exp(rng.normal(np.log(20000.0), 0.3)), 11000.0, 45000.0))
    rise = float(np.exp(rng.normal(np.log(9.0), 0.35)))
    fallback = float(np.exp(rng.normal(np.log(17.0), 0.35)))
    warming = rng.normal(10.0, 15.0)

    def emission(days: Array, wavelength: Array) -> Array:
        rising = np.exp(-0.5 * (np.minimum(days, 0.0) / rise) ** 2)
        fading = (1.0 + np.maximum(days, 0.0) / fallback) ** (-5.0 / 3.0)
        light = luminosity * np.where(days < 0, rising, fading)
        heat = np.clip(temperature + warming * np.clip(days, 0.0, 300.0), 9000.0, 50000.0)
        return absolute_magnitude(light, heat, wavelength)

    return seen(source, emission, host_av=min(rng.exponential(0.2), 1.2))
