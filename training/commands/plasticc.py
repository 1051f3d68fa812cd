"""`boreal-train plasticc`: a bundle from the official training set."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from training._progress import ProgressBars
from training.fit import make_bundle
from training.official import read_training_set
from training.options import Epochs, Folds, Name, Rounds, Seed, Version, Views, problem_of
from training.plasticc import Recipe, plasticc_source

EXAMPLE = "Example: boreal-train plasticc --data plasticc --out bundles/plasticc"


def plasticc(
    *,
    data: Annotated[Path, typer.Option(help="Folder of the official training set, as downloaded.")],
    out: Annotated[Path, typer.Option(help="Folder for the bundle.")],
    copies: Annotated[int, typer.Option(min=0, help="Of each object, at other redshifts and on other nights.")] = 10,
    test_share: Annotated[float, typer.Option(min=0.02, max=0.5, help="Of each class, kept back for scores.")] = 0.15,
    seed: Seed = 1,
    views: Views = 2,
    folds: Folds = 3,
    epochs: Epochs = 12,
    rounds: Rounds = 250,
    name: Name = "",
    version: Version = "1.0.0",
) -> None:
    """Fit a bundle on the official PLAsTiCC training set and copies of its objects; score it on objects kept back."""
    problem = problem_of(rounds=rounds, epochs=epochs, folds=folds, seed=seed)
    found = read_training_set(data)
    with ProgressBars() as stages:
        begin = partial(stages.begin, "Copies at other redshifts")
        source = plasticc_source(found, Recipe(copies, test_share, seed), begin)
        make_bundle((source,), problem, out, stages, views=views, name=name, version=version)
