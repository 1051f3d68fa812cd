"""`boreal-train plasticc`: a bundle from the official training set."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import training.augment
import training.gaussian_process
import training.official
import training.plasticc
from training.ensemble import Stages
from training.official import read_training_set
from training.options import (
    TREES,
    Epochs,
    Folds,
    KeepParts,
    Name,
    Out,
    PartsIn,
    Rounds,
    Seed,
    Version,
    Views,
    fit_and_say,
    fit_of,
)
from training.parts import Parts, code_of
from training.plasticc import Recipe, plasticc_source
from training.source_files import kept_sources
from training.sources import Source
from training.write_bundle import Title

EXAMPLE = "Example: boreal-train plasticc --data plasticc --out bundles/plasticc"


def plasticc(
    *,
    data: Annotated[Path, typer.Option(help="Folder of the official training set, as downloaded.")],
    out: Out,
    copies: Annotated[int, typer.Option(min=0, help="Of each object, at other redshifts and on other nights.")] = 10,
    test_share: Annotated[float, typer.Option(min=0.02, max=0.5, help="Of each class, kept back for scores.")] = 0.15,
    seed: Seed = 1,
    views: Views = 2,
    folds: Folds = 3,
    epochs: Epochs = 12,
    rounds: Rounds = TREES.rounds,
    name: Name = "",
    version: Version = "1.0.0",
    parts: PartsIn = None,
    keep_parts: KeepParts = False,
) -> None:
    """Fit a bundle on the official PLAsTiCC training set and copies of its objects; score it on objects kept back.

    A fit that was broken off goes on where it was when it is begun again with the same options.
    """
    title = Title(name or out.name, version)
    fit = fit_of(rounds=rounds, epochs=epochs, folds=folds, seed=seed, views=views, title=title)
    find = partial(_sources, data, Recipe(copies, test_share, seed))
    fit_and_say(find, fit, out, parts, keep_parts=keep_parts)


def _sources(data: Path, recipe: Recipe, parts: Parts, stages: Stages) -> Sequence[Source]:
    found = read_training_set(data)
    begin = partial(stages.begin, "Copies at other redshifts")
    code = code_of(training.official, training.plasticc, training.augment, training.gaussian_process)
    follows_from = (found.sha256(), recipe, code)
    return kept_sources(parts, follows_from, lambda: (plasticc_source(found, recipe, begin),))
