"""A light curve as a Gaussian process over time and wavelength, after Boone 2019 (AJ 158, 257), section 3.2.

The kernel is a product of two Matern functions of order 3/2, over time and over wavelength. The scale in wavelength is
fixed, those of flux and time are the likeliest of a grid: a fit without a search that could fail.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky

Array = NDArray[np.float64]

WAVELENGTH_SCALE = 6000.0
"""[Angstrom], Boone's value: neighbouring bands are much alike."""

TIME_SCALES = (4.0, 8.0, 14.0, 24.0, 40.0, 70.0, 120.0)
"""[d], observer frame."""

AMPLITUDES = (0.35, 0.8, 1.8)
"""Standard deviation of the process over the brightest well measured flux."""

FLOOR = 0.01
"""A point is trusted to this fraction of the brightest flux at most."""


@dataclass(frozen=True)
class Process:
    """A process with its scales, given the points of one light curve.

    Parameters
    ----------
    mjd, wavelength : of the n points it was fitted to [d, Angstrom].
    weights : shape (n,), what each point adds to a prediction.
    time_scale : [d].
    amplitude : [flux].
    """

    mjd: Array
    wavelength: Array
    weights: Array
    time_scale: float
    amplitude: float

    def mean(self, mjd: Array, wavelength: Array) -> Array:
        """The expected flux at other times and wavelengths, shape (m,), in the unit of the points."""
        between = _kernel(mjd, wavelength, self.mjd, self.wavelength, self.time_scale)
        return np.asarray(self.amplitude**2 * (between @ self.weights))


def fit(mjd: Array, wavelength: Array, flux: Array, flux_err: Array) -> Process:
    """The likeliest process of the grid of scales, whose mean far from all points is 0.

    Parameters
    ----------
    mjd : shape (n,) [d]
    wavelength : shape (n,) [Angstrom]
        Effective wavelength of each point's band.
    flux, flux_err : shape (n,), in any unit.
    """
    brightest = _brightest(flux, flux_err)
    noise = flux_err**2 + (FLOOR * brightest) ** 2
    best, process = -np.inf, None
    for scale in TIME_SCALES:
        unit = _kernel(mjd, wavelength, mjd, wavelength, scale)
        for amplitude in np.multiply(AMPLITUDES, brightest):
            factor = cholesky(amplitude**2 * unit + np.diag(noise), lower=True, check_finite=False)
            weights = cho_solve((factor, True), flux, check_finite=False)
            likelihood = -0.5 * flux @ weights - np.log(np.diag(factor)).sum()
            if process is None or likelihood > best:
                best, process = likelihood, Process(mjd, wavelength, weights, scale, float(amplitude))
    assert process is not None  # noqa: S101  # the grid isn't empty
    return process


def _brightest(flux: Array, flux_err: Array) -> float:
    """The largest flux that noise can't explain, of either sign."""
    sure = np.maximum(np.abs(flux) - 2.0 * flux_err, 0.0)
    return float(max(sure.max(), flux_err.min()))


def _kernel(mjd: Array, wavelength: Array, others: Array, their_wavelength: Array, time_scale: float) -> Array:
    return _matern(mjd, others, time_scale) * _matern(wavelength, their_wavelength, WAVELENGTH_SCALE)


def _matern(here: Array, there: Array, scale: float) -> Array:
    apart = np.sqrt(3.0) * np.abs(here[:, None] - there[None, :]) / scale
    return np.asarray((1.0 + apart) * np.exp(-apart))
