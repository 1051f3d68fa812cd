"""Dust in the host galaxy: the extinction curve of Cardelli, Clayton & Mathis 1989."""

import numpy as np

from training.simulate.bands import Array

_OPTICAL_A = np.array([1.0, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999])
_OPTICAL_B = np.array([0.0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002])


def extinction(wavelength: Array, rv: float = 3.1) -> Array:
    """A(wavelength) / A_V between 0.1 and 3.3 micrometre (their equations 1 to 4, no far-UV term above 8 / micrometre).

    Parameters
    ----------
    wavelength : Angstrom, in the dust's frame.
    rv : A_V / E(B-V).
    """
    x = np.clip(1e4 / np.asarray(wavelength, dtype=np.float64), 0.3, 8.0)
    y = np.clip(x, 1.1, 3.3) - 1.82
    a, b = np.polynomial.polynomial.polyval(y, _OPTICAL_A), np.polynomial.polynomial.polyval(y, _OPTICAL_B)
    far = np.maximum(x - 5.9, 0.0)
    ultraviolet_a = 1.752 - 0.316 * x - 0.104 / ((x - 4.67) ** 2 + 0.341) - 0.04473 * far**2 - 0.009779 * far**3
    ultraviolet_b = -3.090 + 1.825 * x + 1.206 / ((x - 4.62) ** 2 + 0.263) + 0.2130 * far**2 + 0.1207 * far**3
    infrared = x < 1.1  # noqa: PLR2004 - the paper's limits between its three fits
    violet = x > 3.3  # noqa: PLR2004 - likewise
    a = np.where(infrared, 0.574 * x**1.61, np.where(violet, ultraviolet_a, a))
    b = np.where(infrared, -0.527 * x**1.61, np.where(violet, ultraviolet_b, b))
    return np.asarray(a + b / rv, dtype=np.float64)
