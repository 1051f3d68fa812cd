"""The official training set as what a bundle is fitted on: objects, their copies at other redshifts, and a test set."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from training.augment import Copies, Survey, augment
from training.examples import Objects, class_index
from training.light_curves import assemble
from training.official import TrainingSet
from training.sources import Source, held_out

Array = NDArray[np.float64]

LICENCE = "CC BY 4.0"
NEAREST_PHOTOZ = 0.01
"""The smallest photo-z that a copy outside the Milky Way gets; 0 marks what lies in it."""


@dataclass(frozen=True)
class Recipe:
    """What is made of the training set.

    Parameters
    ----------
    copies : of each object, at most.
    test_share : of the objects of each class, kept back to score the bundle; their copies aren't made.
    seed : of all that is drawn.
    """

    copies: int
    test_share: float
    seed: int


def _unseen(_objects: int) -> Callable[[], None]:
    """Nobody watches."""
    return lambda: None


def plasticc_source(found: TrainingSet, recipe: Recipe, begin: Callable[[int], Callable[[], None]] = _unseen) -> Source:
    """The objects to fit on, copies included, and those to test on.

    Parameters
    ----------
    found : the official files.
    begin : called with the number of objects that copies are made of; what it gives, after each of them.

    Raises
    ------
    TrainingTableError
        As `Objects.from_training_set` does.
    """
    objects = Objects.from_training_set(found)
    test = held_out(objects.labels, recipe.test_share, np.random.default_rng(recipe.seed))
    fit = objects.where(~test)
    if recipe.copies:
        about = found.metadata[~test].reset_index(drop=True)
        fit = Objects.concat([fit, copies_of(fit, about, recipe, begin(len(fit)))])
    return Source(_name(found), LICENCE, fit, objects.where(test))


def copies_of(
    objects: Objects, metadata: pd.DataFrame, recipe: Recipe, tick: Callable[[], None] = lambda: None
) -> Objects:
    """Copies of objects at other redshifts, of their own class and parent.

    Parameters
    ----------
    metadata : of the objects, in their order; columns of `training.official.METADATA`.
    """
    curves = objects.alerts.light_curves
    redshift = spectroscopic(metadata)
    made = augment(curves, redshift, recipe.copies, Survey(curves), recipe.seed, tick)
    about = _metadata(made, metadata, redshift, np.random.default_rng(recipe.seed))
    labels = class_index(about["target"].to_numpy(np.int64))
    return Objects(assemble(made.curves, about), labels, objects.parents[made.parents])


def spectroscopic(metadata: pd.DataFrame) -> Array:
    """The redshift that copies are made from: spectroscopic, else photometric; 0 inside the Milky Way."""
    photoz, specz = (metadata[name].to_numpy(np.float64) for name in ("hostgal_photoz", "hostgal_specz"))
    return np.where(photoz > 0.0, np.where(specz > 0.0, specz, photoz), 0.0)


def _metadata(made: Copies, metadata: pd.DataFrame, redshift: Array, rng: Generator) -> pd.DataFrame:
    """The metadata of copies: their parents', with photo-z as wrong and as uncertain as another object's is."""
    about = metadata.iloc[made.parents].reset_index(drop=True)
    donors = np.flatnonzero(redshift > 0.0)
    far = made.redshift > 0.0
    donor = donors[rng.integers(len(donors), size=int(far.sum()))] if far.any() else np.empty(0, np.int64)
    stretch = (1.0 + made.redshift[far]) / (1.0 + redshift[donor])
    photoz, error = (metadata[name].to_numpy(np.float64) for name in ("hostgal_photoz", "hostgal_photoz_err"))
    wrong = (photoz[donor] - redshift[donor]) * stretch
    about.loc[far, "hostgal_photoz"] = np.maximum(made.redshift[far] + wrong, NEAREST_PHOTOZ)
    about.loc[far, "hostgal_photoz_err"] = error[donor] * stretch
    return about.assign(object_id=np.arange(len(about)))


def _name(found: TrainingSet) -> str:
    return f"PLAsTiCC training set ({', '.join(found.names)})"
