"""`boreal-train shipped`: the bundle that ships with Boreal, from simulated light curves and the published ones."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

import training.simulate
import training.sources
from classifiers.bundle import file_sha256
from training.ensemble import Stages
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
from training.shipped import FOLDER
from training.source_files import kept_sources
from training.sources import SHIPPED_OBJECTS, Source, sources
from training.write_bundle import Title

EXAMPLE = "Example: boreal-train shipped --out classifiers/bundles/first"


def shipped(
    *,
    out: Out,
    objects: Annotated[
        int, typer.Option(min=50, help="Simulated objects, those kept back included.")
    ] = SHIPPED_OBJECTS,
    seed: Seed = 1,
    views: Views = 3,
    folds: Folds = 3,
    epochs: Epochs = 20,
    rounds: Rounds = TREES.rounds,
    name: Name = "",
    version: Version = "2.0.0",
    parts: PartsIn = None,
    keep_parts: KeepParts = False,
) -> None:
    """Fit the bundle that ships, calibrate it and score it on objects kept back.

    A fit that was broken off goes on where it was when it is begun again with the same options.
    """
    title = Title(name or out.name, version)
    fit = fit_of(rounds=rounds, epochs=epochs, folds=folds, seed=seed, views=views, title=title)
    fit_and_say(partial(_sources, objects, seed), fit, out, parts, keep_parts=keep_parts)


def _sources(objects: int, seed: int, parts: Parts, _: Stages) -> Sequence[Source]:
    data = [file_sha256(file) for file in sorted(FOLDER.glob("*.parquet"))]
    follows_from = (objects, seed, *data, code_of(training.simulate, training.sources))
    return kept_sources(parts, follows_from, partial(sources, objects, seed))
