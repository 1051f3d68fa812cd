"""``python -m training.fit --out DIR``: fits a model bundle and writes it, with its scores on held-out objects."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from classifiers.bundle import Bundle
from classifiers.novelty import fit_novelty
from classifiers.predict import combine
from training._progress import ProgressBars
from training.calibrate import best_temperatures, best_weights
from training.ensemble import Problem, Stages, fit_members, out_of_fold
from training.evaluate import evaluate
from training.examples import Objects, make_examples
from training.options import Epochs, Folds, Name, Rounds, Seed, Version, Views, problem_of
from training.sources import Source, sources
from training.write_bundle import NOVELTY_FILE, describe, write

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog="Example: python -m training.fit --out classifiers/bundles/first")
def main(
    *,
    out: Annotated[Path, typer.Option(help="Folder for the bundle.")],
    objects: Annotated[int, typer.Option(min=50, help="Number of simulated objects, test objects included.")] = 14_000,
    seed: Seed = 1,
    views: Views = 4,
    folds: Folds = 3,
    epochs: Epochs = 12,
    rounds: Rounds = 250,
    name: Name = "",
    version: Version = "1.0.0",
) -> None:
    """Fit trees and a recurrent network on simulated and published light curves, calibrate and score them."""
    problem = problem_of(rounds=rounds, epochs=epochs, folds=folds, seed=seed)
    with ProgressBars() as stages:
        make_bundle(sources(objects, seed), problem, out, stages, views=views, name=name, version=version)


def make_bundle(
    found: Sequence[Source], problem: Problem, out: Path, stages: Stages, *, views: int, name: str, version: str
) -> None:
    """Fit a bundle, score it on what was held out, and say where it is.

    Parameters
    ----------
    out : its folder; it is made if it doesn't exist.
    views : light curves made from each object.
    name : the folder's if empty.
    """
    out.mkdir(parents=True, exist_ok=True)
    manifest = fit(found, problem, out, stages, views=views, name=name or out.name, version=version)
    score(found, manifest, problem, out, stages)
    typer.echo(f"{manifest['name']} {version} is in {out}; `boreal model info {out}` shows its scores")


def fit(
    found: Sequence[Source], problem: Problem, out: Path, stages: Stages, *, views: int, name: str, version: str
) -> dict[str, Any]:
    """Fit both members, their weights, temperatures and novelty, and write the bundle without scores.

    Returns
    -------
    The manifest, without scores and file hashes.
    """
    objects = Objects.concat([source.fit for source in found])
    step = stages.begin("Light curves and features", len(objects))
    examples = make_examples(objects, problem.names, views, problem.seed, tick=step)
    answers = out_of_fold(examples, problem, stages)
    weights = best_weights(answers, examples.labels)
    temperatures = best_temperatures(combine(answers, weights), examples.labels, examples.days)
    _, recurrent = fit_members(examples, problem, out, stages, "all folds")
    latent = recurrent.predict(examples.data).latent
    fit_novelty(_known(latent), examples.labels).save(out / NOVELTY_FILE)
    manifest = describe(
        problem, found, examples, name=name, version=version, weights=weights, temperatures=temperatures
    )
    write(out, manifest)
    return manifest


def score(found: Sequence[Source], manifest: dict[str, Any], problem: Problem, out: Path, stages: Stages) -> None:
    """Score the written bundle on the held-out objects of each source, and write it again with the scores."""
    bundle = Bundle.load(out)
    step = stages.begin("Scores on held-out objects", len(found))
    entries: list[dict[str, Any]] = []
    for source in found:
        entries += evaluate(bundle, source.test, source.name, problem.seed)
        step()
    write(out, manifest, entries)


def _known(latent: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    if latent is None:
        raise ValueError("the recurrent member has no latent to fit the novelty score on")
    return np.asarray(latent, np.float64)


if __name__ == "__main__":
    app()
