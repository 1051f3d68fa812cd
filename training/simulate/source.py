"""What a class model knows about one object, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass

from numpy.random import Generator

from training.simulate.bands import Array, Bands


@dataclass(frozen=True)
class Source:
    """One object as the population gives it to a class model.

    Parameters
    ----------
    redshift : 0 inside the Milky Way.
    distance_modulus : luminosity distance modulus [mag], 0 inside the Milky Way.
    milky_way_ebv : E(B-V) [mag] in front of the object.
    peak_mjd : MJD of maximum light of a transient [d].
    template_flux : array, shape (6,), flux per band (zero point 27.5) in the template image, of variable sources.
    submodel : PLAsTiCC's number of the model that drew the object (type IIn is 3 of class 42).
    visits : when the survey looks, ascending MJD [d]; for models of what a survey meets by chance, or of paths.
    """

    redshift: float
    distance_modulus: float
    milky_way_ebv: float
    peak_mjd: float
    template_flux: Array
    submodel: int
    visits: Array


LightCurve = Callable[[Array, Bands], Array]
"""From times (MJD) and bands to the difference flux without noise (zero point 27.5)."""

ClassModel = Callable[[Generator, Source], LightCurve]
"""Draws the physics of one object of a class."""
