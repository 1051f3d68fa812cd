"""From labelled objects to a bundle: members, their weights and calibration, novelty, scores on what was held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
from pydantic import TypeAdapter

import classifiers.novelty
import training.leave_one_out
from classifiers.bundle import MANIFEST, Bundle, read_manifest
from classifiers.calibration import Cases
from classifiers.evaluation import COST, EVALUATION, NoveltyTrial, write_costs, write_evaluation
from classifiers.neighbours import fit_neighbours
from classifiers.novelty import fit_novelty
from classifiers.predict import combine
from training.calibrate import SPANS, best_weights, fit_calibration
from training.ensemble import Fitted, Stages, fit_members, load_member, settings_of
from training.evaluation.bundle import evaluate
from training.evaluation.cost import measure, n_steps
from training.examples import Examples, Objects, make_examples
from training.known import known_objects
from training.leave_one_out import Effort, leave_one_out
from training.members import MAKERS, NETWORK, RECURRENT, files_of
from training.parts import Parts, code_of, releases_of
from training.problem import Problem
from training.sources import Source
from training.span_scores import span_scores
from training.write_bundle import NEIGHBOURS_FILE, NOVELTY_FILE, Title, describe, write

TRIALS_FILE = "trials.json"
_TRIALS = TypeAdapter(tuple[NoveltyTrial, ...])


@dataclass(frozen=True)
class Fit:
    """How a bundle is fitted.

    Parameters
    ----------
    problem : what is fitted.
    views : light curves made from each object.
    title : what the bundle is called.
    """

    problem: Problem
    views: int
    title: Title


def make_bundle(found: Sequence[Source], fit: Fit, out: Path, parts: Parts, stages: Stages) -> None:
    """Fit a bundle, and score it on what was held out.

    Parameters
    ----------
    found : the objects.
    out : the bundle's folder; it is made if it doesn't exist.
    parts : what is done already, and what will be.
    """
    examples = _examples(found, fit, stages)
    fitted = fit_members(examples, fit.problem, parts, stages)
    trials = _trials(found, fit.problem, examples, parts, stages)
    _clear(out)
    manifest = _written(found, fit, examples, fitted, out)
    _score(found, manifest, fit.problem, trials, out, stages)


def _trials(
    found: Sequence[Source], problem: Problem, examples: Examples, parts: Parts, stages: Stages
) -> tuple[NoveltyTrial, ...]:
    """What leaving one class out shows, on the objects that the first source keeps back."""
    held_out = make_examples(found[0].test, problem.names, 1, problem.seed)
    effort = Effort(epochs=min(Effort.epochs, problem.recurrent.epochs))
    follows_from = (
        examples.sha256(), held_out.sha256(), problem.recurrent, problem.seed, effort,
        code_of(classifiers.novelty, training.leave_one_out, *NETWORK.code), releases_of(*NETWORK.libraries),
    )  # fmt: skip

    def write(folder: Path) -> None:
        told = leave_one_out(examples, held_out, problem, stages, effort)
        (folder / TRIALS_FILE).write_bytes(_TRIALS.dump_json(told))

    return _TRIALS.validate_json((parts.keep("novelty", follows_from, write) / TRIALS_FILE).read_bytes())


def _clear(out: Path) -> None:
    """Take away the bundle that lies there, of which the next one may not overwrite every file."""
    out.mkdir(parents=True, exist_ok=True)
    if (out / MANIFEST).exists():
        for name in (*read_manifest(out).files, MANIFEST, COST):
            (out / name).unlink(missing_ok=True)


def _examples(found: Sequence[Source], fit: Fit, stages: Stages) -> Examples:
    objects = Objects.concat([source.fit for source in found])
    step = stages.begin("Light curves and features", len(objects))
    return make_examples(objects, fit.problem.names, fit.views, fit.problem.seed, tick=step)


def _written(found: Sequence[Source], fit: Fit, examples: Examples, fitted: Fitted, out: Path) -> dict[str, Any]:
    """The manifest, without scores and file hashes, of a bundle whose files are written."""
    weights = best_weights(fitted.answers, examples.labels)
    cases = Cases.of(examples.data.given, SPANS)
    calibration = fit_calibration(combine(fitted.answers, weights), examples.labels, cases)
    members = [settings_of(folder) for folder in fitted.folders]
    for folder, member in zip(fitted.folders, members, strict=True):
        for name in files_of(member["settings"]):
            copyfile(folder / name, out / name)
    _fit_latent(fit.problem, found, examples, fitted, out)
    manifest = describe(
        fit.title, fit.problem, found, examples, members=members, weights=weights, calibration=calibration
    )
    write(out, manifest)
    return manifest


def _fit_latent(problem: Problem, found: Sequence[Source], examples: Examples, fitted: Fitted, out: Path) -> None:
    """What is told from the recurrent member's latent: novelty, and which known objects an alert is like."""
    number = [maker.kind for maker in MAKERS].index(RECURRENT)
    member = load_member(fitted.folders[number], problem)
    latent = member.predict(examples.data).latent
    if latent is None:
        raise ValueError("the recurrent member has no latent to fit the novelty score on")
    novelty = fit_novelty(np.asarray(latent, np.float64), examples.labels)
    novelty.save(out / NOVELTY_FILE)
    fit_neighbours(known_objects(found, member), novelty, problem.seed).save(out / NEIGHBOURS_FILE)


def _score(
    found: Sequence[Source],
    manifest: dict[str, Any],
    problem: Problem,
    trials: Sequence[NoveltyTrial],
    out: Path,
    stages: Stages,
) -> None:
    """Score the written bundle on the held-out objects of each source, and write it again with its evaluation."""
    bundle = Bundle.load(out)
    step = stages.begin("Scores on held-out objects", len(found))
    entries: list[dict[str, Any]] = []
    for source in found:
        entries += span_scores(bundle, source.test, source.name, problem.seed)
        step()
    write_evaluation(out / EVALUATION, evaluate(bundle, found, problem.seed, stages, trials))
    write(out, manifest, entries)
    write_costs(out / COST, measure(bundle, stages.begin("Cost of an alert", n_steps(bundle))))
