"""More light curves from few: each object as it would look at another redshift, on other nights.

A Gaussian process over time and wavelength is read off at another redshift, after Boone 2019 (AJ 158, 257), section 4:
a training set holds what a spectrograph could confirm, bright and near; what is to be classified is fainter and
farther. Spectral flux density follows Hogg et al. 2002 (astro-ph/0210394).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from classifiers.sequences import select
from schemas.alerts import LightCurves
from training.columns import concat_curves, take_curves
from training.gaussian_process import Process, fit
from training.simulate.bands import WAVELENGTH
from training.simulate.cosmology import distance_modulus
from training.simulate.detection import detect

Array = NDArray[np.float64]

NEARER, FARTHER, FARTHEST = 0.95, 5.0, 1.5
"""A copy's redshift lies between 0.95 z and the smaller of 5 z and 1.5 (1 + z) - 1, evenly in its logarithm (Boone)."""

BRIGHTER, FAINTER = -0.3, 1.5
"""A copy of an object without a redshift is dimmed by so many magnitudes."""

MOST_POINTS = 160
"""A process is fitted to so many points at most: half of them the most significant, the others any."""

MARGIN = 2.0
"""So long before its first and after its last visit an object counts as observed [d]."""

TRIES = 10
"""So often a copy that wouldn't have been found is drawn again, on other nights and at another redshift."""


def _by_efficiency(rng: Generator, flux: Array, _measured: Array, flux_err: Array) -> NDArray[np.bool_]:
    return detect(rng, flux, flux_err)


@dataclass(frozen=True)
class Survey:
    """How copies are observed.

    Parameters
    ----------
    visits : light curves of whose points times, bands and errors are used, and the fluxes aren't.
    detect : which points are detected, from true fluxes, measured ones, and errors.
    fewest : so many detections has what the survey finds.
    farthest : the largest redshift that it finds.
    """

    visits: LightCurves
    detect: Callable[[Generator, Array, Array, Array], NDArray[np.bool_]] = field(default=_by_efficiency)
    fewest: int = 2
    farthest: float = 3.5


@dataclass(frozen=True)
class Copies:
    """Copies of objects.

    Parameters
    ----------
    curves : of n copies.
    parents : int64 array, shape (n,)
        The object that each is a copy of.
    redshift : float64 array, shape (n,)
        Of each copy; 0 inside the Milky Way.
    """

    curves: LightCurves
    parents: NDArray[np.int64]
    redshift: Array


def augment(
    curves: LightCurves,
    redshift: Array,
    copies: int,
    survey: Survey,
    seed: int,
    tick: Callable[[], None] = lambda: None,
) -> Copies:
    """Copies of each light curve; fewer of objects that the survey hardly finds at other redshifts.

    Parameters
    ----------
    curves : of n objects, each with a point.
    redshift : shape (n,), spectroscopic; 0 inside the Milky Way.
    copies : of each object, at most.
    survey : how they are observed.
    seed : the copies of an object depend on it, the object's place among the n, and the survey alone.
    tick : called after each object.
    """
    made, parents, redshifts = [], [], []
    for row in range(len(curves)):
        rng = np.random.default_rng([seed, row])
        for points, z in _copies(take_curves(curves, np.array([row])), float(redshift[row]), copies, survey, rng):
            made.append(points)
            parents.append(row)
            redshifts.append(z)
        tick()
    return Copies(concat_curves(made), np.array(parents, np.int64), np.array(redshifts, np.float64))


def _copies(
    points: LightCurves, redshift: float, copies: int, survey: Survey, rng: Generator
) -> Iterator[tuple[LightCurves, float]]:
    process, peak = _process(points, rng)
    for _ in range(copies):
        for _ in range(TRIES):
            z = _other_redshift(redshift, survey.farthest, rng)
            copy = _copy(points, process, peak, Move.between(redshift, z, rng), survey, rng)
            if np.count_nonzero(copy.detected) >= survey.fewest:
                yield copy, z
                break


@dataclass(frozen=True)
class Move:
    """What another redshift does: `stretch` to times and wavelengths, `dimming` to fluxes."""

    stretch: float
    dimming: float

    @classmethod
    def between(cls, here: float, there: float, rng: Generator) -> "Move":
        """From one redshift to another; inside the Milky Way, by a random difference of magnitudes."""
        if here <= 0.0:
            return cls(1.0, float(10.0 ** (-0.4 * rng.uniform(BRIGHTER, FAINTER))))
        stretch = (1.0 + there) / (1.0 + here)
        farther = float(np.diff(distance_modulus(np.array([here, there])))[0])
        return cls(stretch, stretch * 10.0 ** (-0.4 * farther))


def _other_redshift(redshift: float, farthest: float, rng: Generator) -> float:
    if redshift <= 0.0:
        return 0.0
    low = NEARER * redshift
    high = max(min(FARTHER * redshift, FARTHEST * (1.0 + redshift) - 1.0, farthest), low)
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _copy(
    points: LightCurves, process: Process, peak: float, move: Move, survey: Survey, rng: Generator
) -> LightCurves:
    visits = take_curves(survey.visits, rng.integers(len(survey.visits), size=1))
    new_peak = rng.uniform(visits.mjd[0], visits.mjd[-1])
    mjd = peak + (visits.mjd - new_peak) / move.stretch
    flux = move.dimming * process.mean(mjd, WAVELENGTH[visits.band] / move.stretch)
    noisy = flux + visits.flux_err * rng.standard_normal(len(flux))
    detected = survey.detect(rng, flux, noisy, visits.flux_err)
    copy = replace(visits, flux=noisy, detected=detected)
    observed = (mjd > points.mjd[0] - MARGIN) & (mjd < points.mjd[-1] + MARGIN)
    return select(copy, observed | (np.abs(flux) < visits.flux_err))  # elsewhere it is dark, or nobody knows


def _process(points: LightCurves, rng: Generator) -> tuple[Process, float]:
    """The process of a light curve, and when it is brightest, all its bands together [d]."""
    chosen = select(points, _most_significant(points, rng))
    process = fit(chosen.mjd, WAVELENGTH[chosen.band], chosen.flux, chosen.flux_err)
    days = np.arange(points.mjd[0], points.mjd[-1] + 1.0, 2.0)
    total = sum(process.mean(days, np.full(len(days), WAVELENGTH[band])) for band in np.unique(points.band))
    return process, float(days[int(np.argmax(total))])


def _most_significant(points: LightCurves, rng: Generator) -> NDArray[np.bool_]:
    chosen = np.full(len(points.flux), len(points.flux) <= MOST_POINTS)
    if not chosen.all():
        order, half = np.argsort(-np.abs(points.flux / points.flux_err), kind="stable"), MOST_POINTS // 2
        chosen[order[:half]] = True
        chosen[rng.choice(order[half:], half, replace=False)] = True
    return chosen
