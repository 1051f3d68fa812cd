"""What every command that fits a bundle may be told, and what it does with it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from features.extract import catalogue
from training._progress import ProgressBars
from training.ensemble import Stages
from training.fit import Fit, make_bundle
from training.fit_oblivious import ObliviousSettings
from training.fit_recurrent import RecurrentSettings
from training.fit_trees import TreesSettings
from training.parts import Parts
from training.problem import Problem
from training.report import write_report_and_card
from training.sources import Source
from training.write_bundle import Title

Out = Annotated[Path, typer.Option(help="Folder for the bundle.")]
Seed = Annotated[int, typer.Option(help="Same seed, same data, folds and first weights.")]
Views = Annotated[int, typer.Option(min=1, help="Light curves made from each object.")]
Folds = Annotated[int, typer.Option(min=2, help="Folds of the out-of-fold predictions.")]
Epochs = Annotated[int, typer.Option(min=1, help="Passes of the network over the light curves.")]
Rounds = Annotated[int, typer.Option(min=1, help="Trees per class; the oblivious member gets twice as many.")]
Name = Annotated[str, typer.Option(help="The bundle's name; the folder's if left out.")]
Version = Annotated[str, typer.Option(help="The bundle's version.")]
PartsIn = Annotated[
    Path | None,
    typer.Option("--parts", help="Where to keep what is done of the fit, to go on there; OUT.parts if left out."),
]
KeepParts = Annotated[bool, typer.Option("--keep-parts", help="Keep the parts of the fit when it is done.")]

TREES = TreesSettings(rounds=400, learning_rate=0.07)
"""More than for a few thousand rows: a hundred thousand light curves have more to teach. Trees of 16 leaves would learn
more still (log-loss 0.764 in place of 0.771 on light curves left out), and cost an alert twice the time."""

OBLIVIOUS_FOR_A_ROUND = 2


def fit_of(*, rounds: int, epochs: int, folds: int, seed: int, views: int, title: Title) -> Fit:
    """All features and all classes, fitted so."""
    problem = Problem(
        names=tuple(feature.name for feature in catalogue()),
        trees=replace(TREES, rounds=rounds),
        recurrent=RecurrentSettings(epochs=epochs),
        oblivious=ObliviousSettings(rounds=rounds * OBLIVIOUS_FOR_A_ROUND),
        folds=folds,
        seed=seed,
    )
    return Fit(problem, views, title)


def fit_and_say(
    find: Callable[[Parts, Stages], Sequence[Source]], fit: Fit, out: Path, parts: Path | None, *, keep_parts: bool
) -> None:
    """Fit a bundle with progress bars, write its report and its card beside it, and say where they are.

    The parts of the fit are forgotten then, unless they are to be kept.

    Parameters
    ----------
    find : gives the objects.
    out : the bundle's folder.
    parts : where to keep what is done; ``OUT.parts`` if None.
    """
    done = Parts(parts or out.with_name(f"{out.name}.parts"))
    report = out.with_name(f"{out.name}-report")
    with ProgressBars() as stages:
        make_bundle(find(done, stages), fit, out, done, stages)
        write_report_and_card(out, report, stages)
    if not keep_parts:
        done.remove()
    name, version = fit.title.name, fit.title.version
    typer.echo(f"{name} {version} is in {out}, its report and its model card in {report}")
