"""Light that has to diffuse out of expanding ejecta: Arnett's integral (1982, ApJ 253, 785) on a grid of days."""

import numpy as np

from training.simulate.bands import Array

DAY = 86400.0
LIGHT = 2.997925e10
"""[cm / s]"""
SUN = 1.98841e33
"""[g]"""


def diffusion_days(mass: float, velocity: float, opacity: float) -> float:
    """Diffusion time sqrt(2 kappa M / (13.7 v c)) [d] of mass [g], velocity [cm / s], opacity [cm2 / g]."""
    return float(np.sqrt(2.0 * opacity * mass / (13.7 * velocity * LIGHT)) / DAY)


def emerging(days: Array, heating: Array, diffusion: float) -> Array:
    """Luminosity that leaves ejecta heated by `heating` (any unit of power) at `days` since explosion (ascending).

    L(t) = 2 / d^2 * integral of heating(s) exp((s^2 - t^2) / d^2) s ds, with the heating linear in t^2
    between the days, by a recursion that cannot overflow.
    """
    step = np.diff((days / diffusion) ** 2)
    decay = np.exp(-step)
    gain = heating[1:] - heating[:-1] * decay + np.diff(heating) * np.expm1(-step) / step
    light = np.zeros_like(days)
    for at in range(len(gain)):
        light[at + 1] = light[at] * decay[at] + gain[at]
    return light


def photosphere_temperature(luminosity: Array, days: Array, velocity: float, floor: float) -> Array:
    """Temperature [K] of a photosphere that expands at `velocity` [cm / s] until it has cooled to `floor`."""
    area = 4.0 * np.pi * (velocity * days * DAY) ** 2
    return np.asarray(np.maximum((luminosity / (5.670374e-5 * area)) ** 0.25, floor), dtype=np.float64)
