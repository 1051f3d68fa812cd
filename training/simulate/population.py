"""Which objects there are: real PLAsTiCC training objects, drawn again with slightly changed hosts.

A drawn object keeps its parent's class, field, position and dust; redshift, photometric redshift, template fluxes
and E(B-V) are smeared a little (a smoothed bootstrap), so that twenty draws of one parent are twenty objects.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.shipped import shipped
from training.simulate.bands import Array
from training.simulate.cosmology import distance_modulus
from training.simulate.source import Source

REDSHIFT_SMEAR, FLUX_SMEAR, DUST_SMEAR = 0.03, 0.10, 0.05
"""Scatter in ln(redshift), ln(template flux) and ln E(B-V) around the parent's."""


@dataclass(frozen=True)
class Drawn:
    """An object of the population: what the model sees, and what the catalogue tells the observer.

    Parameters
    ----------
    target : PLAsTiCC class.
    parent : object_id of the real object it was drawn after.
    deep : in a deep-drilling field.
    ra, dec, gal_l, gal_b : position [deg].
    photoz, photoz_err : the host's photometric redshift and its error; 0 inside the Milky Way.
    source : what the class model sees.
    """

    target: int
    parent: int
    deep: bool
    ra: float
    dec: float
    gal_l: float
    gal_b: float
    photoz: float
    photoz_err: float
    source: Source

    @property
    def photoz_distmod(self) -> float:
        """Distance modulus of the photometric redshift, NaN inside the Milky Way, as the official column has it."""
        return float(distance_modulus(np.array(self.photoz))) if self.photoz > 0 else np.nan


def draw_object(rng: Generator, balance: float) -> Drawn:
    """An object of a random class.

    Parameters
    ----------
    balance : 0 draws classes as often as PLAsTiCC's training set has them, 1 draws all equally often.
    """
    rows, share = _classes(balance)
    return draw_like(rng, int(rng.choice(rows[int(np.searchsorted(share, rng.random(), side="right"))])))


def draw_of_class(rng: Generator, target: int) -> Drawn:
    """An object of class `target`."""
    return draw_like(rng, int(rng.choice(_rows_of(target))))


def draw_like(rng: Generator, row: int) -> Drawn:
    """An object after the `row`-th real one."""
    real = {name: values[row] for name, values in _columns().items()}
    redshift = float(real["true_z"]) * np.exp(rng.normal(0.0, REDSHIFT_SMEAR))
    extragalactic = redshift > 0
    source = Source(
        redshift=redshift,
        distance_modulus=float(distance_modulus(np.array(redshift))) if extragalactic else 0.0,
        milky_way_ebv=float(real["mwebv"]) * np.exp(rng.normal(0.0, DUST_SMEAR)),
        peak_mjd=float(real["true_peakmjd"]),
        template_flux=_template()[row] * np.exp(rng.normal(0.0, FLUX_SMEAR)),
        submodel=int(real["true_submodel"]),
        visits=np.empty(0),
    )
    photoz = float(real["hostgal_photoz"]) * (redshift / float(real["true_z"])) if extragalactic else 0.0
    return Drawn(
        target=int(real["target"]),
        parent=int(real["object_id"]),
        deep=bool(real["ddf"]),
        **{name: float(real[column]) for name, column in _POSITION.items()},
        photoz=photoz,
        photoz_err=float(real["hostgal_photoz_err"]) if extragalactic else 0.0,
        source=source,
    )


_POSITION = {"ra": "ra", "dec": "decl", "gal_l": "gal_l", "gal_b": "gal_b"}


@cache
def _columns() -> dict[str, Array]:
    table = shipped("plasticc_metadata")
    return {str(name): table[name].to_numpy() for name in table.columns}


@cache
def _template() -> Array:
    columns = _columns()
    return np.stack([columns[f"tflux_{band}"] for band in "ugrizy"], axis=1)


@cache
def _rows_of(target: int) -> NDArray[np.intp]:
    return np.flatnonzero(_columns()["target"] == target)


@cache
def _classes(balance: float) -> tuple[tuple[NDArray[np.intp], ...], Array]:
    rows = tuple(_rows_of(int(target)) for target in np.unique(_columns()["target"]))
    weight = np.array([float(len(own)) for own in rows]) ** (1.0 - balance)
    return rows, np.cumsum(weight) / weight.sum()
