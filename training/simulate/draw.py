"""One simulated object, from the population to noisy points, drawn again until the survey would have found it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.simulate.bands import Array
from training.simulate.cadence import Visits, draw_visits
from training.simulate.classes import MODELS
from training.simulate.detection import detect
from training.simulate.noise import flux_error, observe
from training.simulate.population import Drawn, draw_object, draw_of_class
from training.simulate.source import Source

FEWEST_DETECTIONS = 2
"""PLAsTiCC keeps objects with two detections (the fewest among the real ones, too)."""

TRIES_PER_PARENT, PARENTS = 12, 200
"""Draws of model and cadence after one real object, and how many real objects are tried."""


class SimulationError(RuntimeError):
    """A class whose objects the survey never detects."""


@dataclass(frozen=True)
class Observed:
    """A detected object: who it is, and its points by time, fluxes of zero point 27.5."""

    drawn: Drawn
    visits: Visits
    flux: Array
    flux_err: Array
    detected: NDArray[np.bool_]


def simulate_object(rng: Generator, balance: float = 0.0, target: int | None = None) -> Observed:
    """An object that the survey detects.

    Parameters
    ----------
    balance : see `population.draw_object`; unused where `target` is given.
    target : PLAsTiCC class, or None for a random one.

    Raises
    ------
    SimulationError
        If thousands of draws of the class stay undetected.
    """
    drawn = draw_object(rng, balance) if target is None else draw_of_class(rng, target)
    for _ in range(PARENTS):
        for _ in range(TRIES_PER_PARENT):
            seen = observe_once(rng, drawn)
            if np.count_nonzero(seen.detected) >= FEWEST_DETECTIONS:
                return seen
        drawn = draw_of_class(rng, drawn.target)
    raise SimulationError(f"class {drawn.target}: none of {PARENTS * TRIES_PER_PARENT} draws was detected twice")


def observe_once(rng: Generator, drawn: Drawn) -> Observed:
    """The points that the survey takes of a drawn object, with the model's physics drawn anew."""
    visits = draw_visits(rng, drawn.deep, drawn.ra, drawn.dec)
    source = _placed(rng, drawn.source, visits)
    truth = MODELS[drawn.target](rng, source)(visits.mjd, visits.band)
    error = flux_error(truth, truth + source.template_flux[visits.band], visits.sky, visits.zero_point, visits.scatter)
    flux = observe(rng, truth, error)
    return Observed(replace(drawn, source=source), visits, flux, error, detect(rng, truth, error))


def _placed(rng: Generator, source: Source, visits: Visits) -> Source:
    """The source with its visits; its maximum moves into the span of a cadence of other years."""
    peak = source.peak_mjd
    if visits.library == "elasticc2":
        peak = rng.uniform(visits.mjd[0] - 20.0, visits.mjd[-1] + 10.0)
    return replace(source, peak_mjd=peak, visits=visits.mjd)
