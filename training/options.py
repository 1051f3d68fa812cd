"""What every command that fits a bundle may be told."""

from typing import Annotated

import typer

from classifiers.taxonomy import PLASTICC_TARGETS
from features.extract import catalogue
from training.ensemble import Problem
from training.fit_recurrent import RecurrentSettings
from training.fit_trees import TreesSettings

Seed = Annotated[int, typer.Option(help="Same seed, same data, folds and first weights.")]
Views = Annotated[int, typer.Option(min=1, help="Light curves made from each object.")]
Folds = Annotated[int, typer.Option(min=2, help="Folds of the out-of-fold predictions.")]
Epochs = Annotated[int, typer.Option(min=1, help="Passes of the network over the light curves.")]
Rounds = Annotated[int, typer.Option(min=1, help="Trees per class.")]
Name = Annotated[str, typer.Option(help="The bundle's name; the folder's if left out.")]
Version = Annotated[str, typer.Option(help="The bundle's version.")]


def problem_of(*, rounds: int, epochs: int, folds: int, seed: int) -> Problem:
    """All features and all classes, fitted so."""
    return Problem(
        names=tuple(feature.name for feature in catalogue()),
        n_classes=len(PLASTICC_TARGETS),
        trees=TreesSettings(rounds=rounds),
        recurrent=RecurrentSettings(epochs=epochs),
        folds=folds,
        seed=seed,
    )
