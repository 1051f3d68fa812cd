"""The mean spectral surface of normal type Ia supernovae.

B, V, R, I after Nugent et al. 2002 (PASP 114, 803) and Hsiao et al. 2007 (ApJ 663, 1187), Y and J with their second
maximum after Krisciunas et al. 2004 (AJ 128, 3034), ultraviolet after Foley et al. 2016 (MNRAS 461, 1308): magnitudes
read off the published mean curves, not a fitted spectral model.
"""

import numpy as np
from numpy.typing import NDArray

from training.simulate.bands import Array

_FADING = """
 day     UV     U     B     V     R     I     Z     Y     J
 -20   6.50  6.50  6.50  6.20  6.00  6.00  6.00  6.00  6.00
 -17   4.20  4.00  4.20  4.00  3.90  3.80  3.80  3.70  3.70
 -15   2.50  2.40  2.70  2.50  2.50  2.35  2.35  2.30  2.30
 -12   1.00  1.00  1.35  1.30  1.28  1.15  1.15  1.10  1.10
 -10   0.50  0.52  0.80  0.82  0.80  0.67  0.67  0.60  0.60
  -7   0.12  0.14  0.33  0.38  0.35  0.24  0.22  0.15  0.12
  -5   0.00  0.03  0.15  0.20  0.18  0.08  0.05  0.00 -0.03
  -2   0.02  0.00  0.02  0.06  0.03 -0.02 -0.03 -0.05 -0.05
   0   0.12  0.08  0.00  0.02  0.00  0.00  0.00  0.00  0.00
   3   0.40  0.25  0.08  0.02  0.02  0.08  0.12  0.25  0.40
   7   0.95  0.65  0.36  0.14  0.12  0.30  0.40  0.65  1.10
  10   1.40  1.05  0.65  0.30  0.30  0.52  0.60  0.85  1.50
  15   2.10  1.75  1.15  0.60  0.60  0.65  0.65  0.70  1.65
  20   2.65  2.35  1.72  0.92  0.68  0.55  0.45  0.35  1.40
  25   3.00  2.85  2.20  1.24  0.75  0.48  0.30  0.02  1.10
  30   3.25  3.15  2.58  1.60  0.98  0.62  0.40 -0.05  1.00
  35   3.40  3.35  2.83  1.87  1.28  0.92  0.72  0.30  1.40
  40   3.50  3.50  2.97  2.05  1.52  1.20  1.00  0.65  1.80
  50   3.70  3.70  3.15  2.35  1.90  1.65  1.45  1.25  2.50
  60   3.90  3.85  3.30  2.62  2.25  2.05  1.90  1.80  3.10
  80   4.20  4.10  3.62  3.15  2.90  2.80  2.70  2.80  4.10
 100   4.50  4.40  3.92  3.65  3.50  3.40  3.40  3.70  5.00
"""
"""Magnitudes below B maximum, against rest-frame days since it."""
_DAYS, _UV, *_REDDER = np.array([line.split() for line in _FADING.split("\n")[2:-1]], dtype=np.float64).T
_WAVES = np.array([2000.0, 2500.0, 3000.0, 3600.0, 4400.0, 5450.0, 6500.0, 8000.0, 9100.0, 10400.0, 12500.0])
_AT_PEAK = np.array([5, 3.1, 1.55, 0.42, 0, 0.14, 0.3, 0.78, 0.8, 1.25, 1.55])
"""AB magnitudes relative to B, at B maximum, at the wavelengths [Angstrom]."""
_SURFACE = np.array([_UV, _UV, _UV, *_REDDER]) + _AT_PEAK[:, None]
_LATE_SLOPE = 0.015
"""Decline after day 100 [mag / d]."""


def ia_surface(days: Array, wavelength: Array) -> Array:
    """AB magnitude relative to B maximum, linear between the table's days and wavelengths; infinite before day -20.

    Parameters
    ----------
    days : rest-frame days since B maximum of a supernova of stretch 1.
    wavelength : rest-frame wavelength [Angstrom], from 2000 to 12500 (continued linearly outside).
    """
    left = np.clip(np.searchsorted(_WAVES, wavelength) - 1, 0, len(_WAVES) - 2)
    weight = (wavelength - _WAVES[left]) / (_WAVES[left + 1] - _WAVES[left])
    below, above = _at(days, left), _at(days, left + 1)
    late = _LATE_SLOPE * np.maximum(days - _DAYS[-1], 0.0)
    return np.where(days < _DAYS[0], np.inf, below + weight * (above - below) + late)


def _at(days: Array, row: NDArray[np.intp]) -> Array:
    """Each point's magnitude in its own row of the surface."""
    right = np.clip(np.searchsorted(_DAYS, days), 1, len(_DAYS) - 1)
    share = np.clip((days - _DAYS[right - 1]) / (_DAYS[right] - _DAYS[right - 1]), 0.0, 1.0)
    early, late = _SURFACE[row, right - 1], _SURFACE[row, right]
    return np.asarray(early + share * (late - early), dtype=np.float64)
