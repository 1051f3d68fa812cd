"""From labelled light curves to probabilities of others, alike for each set: copies, features, trees, temperature."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.judging.labelled import Labelled
from classifiers.calibration import calibrate
from features.extract import catalogue
from features.family import FeatureInput
from training.augment import Survey, augment
from training.calibrate import best_temperature
from training.ensemble import fold_of
from training.fit_trees import TreesSettings, fit_trees
from training.prior import frequencies

Array = NDArray[np.float64]

NAMES = tuple(feature.name for feature in catalogue())
"""All features that the broker computes."""

LARGER = TreesSettings(rounds=400, leaves=31)
"""For copies, of which there are many."""


@dataclass(frozen=True)
class Settings:
    """How a set's classifier is made.

    Parameters
    ----------
    survey : how copies are observed; none are made without it.
    copies : of each object.
    photoz : a copy's photo-z and its error, from its redshift.
    trees : how the trees are grown.
    folds : of the predictions that temperatures are taken from.
    seed : of all of it.
    """

    survey: Survey | None = None
    copies: int = 0
    photoz: Callable[[np.random.Generator, Array], tuple[Array, Array]] = field(default=lambda _, z: (z, 0.0 * z))
    trees: TreesSettings = LARGER
    folds: int = 3
    seed: int = 1


def with_copies(known: Labelled, settings: Settings) -> Labelled:
    """The objects, and their copies at other redshifts."""
    if settings.survey is None:
        return known
    made = augment(known.given.curves, known.redshift, settings.copies, settings.survey, settings.seed)
    photoz, error = settings.photoz(np.random.default_rng(settings.seed), made.redshift)
    given = FeatureInput(made.curves, photoz, error, known.given.milky_way_ebv[made.parents])
    copies = Labelled(given, known.labels[made.parents], known.classes, made.redshift, known.parents[made.parents])
    return Labelled.concat([known, copies])


def answer(known: Labelled, asked: Labelled, settings: Settings) -> tuple[Array, Array]:
    """Calibrated probabilities of other objects' classes.

    Parameters
    ----------
    known : objects to learn from.
    asked : objects to be told; their labels and redshifts aren't looked at.

    Returns
    -------
    probabilities : shape (len(asked), n_classes)
    prior : shape (n_classes,), the class frequencies that they are for.
    """
    examples = with_copies(known, settings)
    features, labels = examples.examples(NAMES).data.features, examples.labels
    n_classes = len(known.classes)
    folds = fold_of(examples.parents, settings.folds, settings.seed)
    held_out = np.zeros((len(labels), n_classes))
    for fold in range(settings.folds):
        inside = folds != fold
        held_out[~inside] = _told(features[inside], labels[inside], features[~inside], n_classes, settings)
    temperature = best_temperature(held_out, labels)
    told = _told(features, labels, asked.examples(NAMES).data.features, n_classes, settings)
    return calibrate(told, np.full(len(told), temperature)), frequencies(labels, n_classes)


def in_folds(known: Labelled, folds: NDArray[np.int64], settings: Settings) -> Array:
    """The answers for each object from all objects that aren't in its fold, shape (n, n_classes)."""
    told = np.zeros((len(known), len(known.classes)))
    for fold in np.unique(folds):
        outside = np.flatnonzero(folds == fold)
        told[outside], _ = answer(known.take(np.flatnonzero(folds != fold)), known.take(outside), settings)
    return told


def _told(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    asked: NDArray[np.float32],
    n_classes: int,
    settings: Settings,
) -> Array:
    import lightgbm

    text = fit_trees(features, NAMES, labels, n_classes=n_classes, settings=settings.trees, seed=settings.seed)
    return np.asarray(lightgbm.Booster(model_str=text).predict(asked, num_threads=1), np.float64)
