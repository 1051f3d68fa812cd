"""`boreal-train plasticc`: a bundle from the official training set."""

from pathlib import Path
from typing import Annotated

import typer

from classifiers.taxonomy import PLASTICC_TARGETS
from features.extract import catalogue
from training._progress import ProgressBars
from training.ensemble import Problem
from training.fit import make_bundle
from training.fit_recurrent import RecurrentSettings
from training.fit_trees import TreesSettings
from training.official import read_training_set
from training.plasticc import Recipe, plasticc_source

EXAMPLE = "Example: boreal-train plasticc --data plasticc --out bundles/plasticc"


def plasticc(
    *,
    data: Annotated[Path, typer.Option(help="Folder of the official training set, as downloaded.")],
    out: Annotated[Path, typer.Option(help="Folder for the bundle.")],
    copies: Annotated[int, typer.Option(min=0, help="Of each object, at other redshifts and on other nights.")] = 10,
    test_share: Annotated[float, typer.Option(min=0.02, max=0.5, help="Of each class, kept back for scores.")] = 0.15,
    seed: Annotated[int, typer.Option(help="Same seed, same data, folds and first weights.")] = 1,
    views: Annotated[int, typer.Option(min=1, help="Light curves made from each object and copy.")] = 2,
    folds: Annotated[int, typer.Option(min=2, help="Folds of the out-of-fold predictions.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="Passes of the network over the light curves.")] = 12,
    rounds: Annotated[int, typer.Option(min=1, help="Trees per class.")] = 250,
    name: Annotated[str, typer.Option(help="The bundle's name; the folder's if left out.")] = "",
    version: Annotated[str, typer.Option(help="The bundle's version.")] = "1.0.0",
) -> None:
    """Fit a bundle on the official PLAsTiCC training set and copies of its objects; score it on objects kept back."""
    problem = Problem(
        names=tuple(feature.name for feature in catalogue()),
        n_classes=len(PLASTICC_TARGETS),
        trees=TreesSettings(rounds=rounds),
        recurrent=RecurrentSettings(epochs=epochs),
        folds=folds,
        seed=seed,
    )
    found = read_training_set(data)
    with ProgressBars() as stages:
        step = stages.begin("Copies at other redshifts", len(found.metadata))
        source = plasticc_source(found, Recipe(copies, test_share, seed), step)
        make_bundle((source,), problem, out, stages, views=views, name=name, version=version)
