"""Does the novelty score know what it doesn't know? One class after the other is kept from a network and scored."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from classifiers.evaluation import NoveltyTrial
from classifiers.member import MemberOutput
from classifiers.members.recurrent import Recurrent, load
from classifiers.novelty import fit_novelty
from classifiers.taxonomy import BY_PLASTICC, PLASTICC_TARGETS, ClassNode
from training.ensemble import Stages
from training.examples import Examples
from training.members import NETWORK
from training.problem import Problem


@dataclass(frozen=True)
class Effort:
    """What a trial may cost: as many light curves to fit on, passes over them, and known light curves to score."""

    light_curves: int = 12_000
    epochs: int = 5
    known: int = 6_000


def leave_one_out(
    examples: Examples, held_out: Examples, problem: Problem, stages: Stages, effort: Effort | None = None
) -> tuple[NoveltyTrial, ...]:
    """Fit the network and the novelty score anew without each class, and tell that class from the known ones by them.

    Parameters
    ----------
    examples : what is fitted on, a part of it in each trial.
    held_out : light curves of objects that no example is of, and none was drawn after.
    problem : number of classes, how the network is fitted, and the seed.
    stages : told how far it is; a stage a class.
    effort : what a trial may cost.

    Returns
    -------
    A trial for each class of `held_out`, in the order of the classes; none where it holds one class alone.
    """
    effort = effort or Effort()
    labels = np.unique(held_out.labels)
    if len(labels) == 1:
        return ()
    return tuple(_trial(int(label), examples, held_out, problem, stages, effort) for label in labels)


def _trial(
    label: int, examples: Examples, held_out: Examples, problem: Problem, stages: Stages, effort: Effort
) -> NoveltyTrial:
    rng = np.random.default_rng([problem.seed, label])
    fitted_on = examples.take(_some(rng, examples.labels != label, effort.light_curves))
    others = _some(rng, held_out.labels != label, effort.known)
    asked = held_out.take(np.sort(np.concatenate([others, np.flatnonzero(held_out.labels == label)])))
    network = _fitted(fitted_on, label, problem, stages, effort)
    novelty = fit_novelty(_latent(network.predict(fitted_on.data)), fitted_on.labels)
    answer, unknown = network.predict(asked.data), asked.labels == label
    return NoveltyTrial(
        class_id=_node(label).id,
        objects=int(unknown.sum()),
        auroc=_auroc(unknown, novelty.score(_latent(answer))),
        auroc_uncertainty=_auroc(unknown, 1 - answer.probabilities.max(axis=1)),
    )


def _some(rng: np.random.Generator, chosen: NDArray[np.bool_], most: int) -> NDArray[np.int64]:
    return np.sort(rng.permutation(np.flatnonzero(chosen))[:most])


def _fitted(examples: Examples, label: int, problem: Problem, stages: Stages, effort: Effort) -> Recurrent:
    """The network as a bundle would load it."""
    shorter = replace(problem, recurrent=replace(problem.recurrent, epochs=effort.epochs))
    step = stages.begin(f"Recurrent network without {_node(label).name}", NETWORK.steps(examples, shorter))
    with TemporaryDirectory() as folder:
        settings = NETWORK.fit(examples, shorter, Path(folder), step)
        return load(Path(folder), {**settings, "n_classes": problem.n_classes})


def _latent(output: MemberOutput) -> NDArray[np.float64]:
    if output.latent is None:
        raise ValueError("the recurrent member has no latent to fit the novelty score on")
    return output.latent


def _auroc(unknown: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """The chance that an unknown light curve scores higher than a known one."""
    return round(float(roc_auc_score(unknown, score)), 4)


def _node(label: int) -> ClassNode:
    return BY_PLASTICC[PLASTICC_TARGETS[label]]
