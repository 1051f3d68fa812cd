"""Fits both members, once for each fold and once on everything."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.member import Member
from classifiers.members import discover
from classifiers.sequences import OBJECT_INPUTS, POINT_INPUTS, sequences
from training.examples import Examples
from training.export import to_onnx
from training.fit_recurrent import RecurrentSettings, fit_recurrent, n_batches
from training.fit_trees import TreesSettings, fit_trees

TREES_FILE, RECURRENT_FILE = "trees.txt", "recurrent.onnx"

SETTINGS: dict[str, dict[str, Any]] = {
    "trees": {"file": TREES_FILE},
    "recurrent": {
        "file": RECURRENT_FILE,
        "point_inputs": list(POINT_INPUTS),
        "object_inputs": list(OBJECT_INPUTS),
    },
}
"""The settings of each kind of member in a manifest, in the order of the members."""


class Step(Protocol):
    """Tells that a stage is further."""

    def __call__(self, count: int = 1, /) -> None:
        """So many steps more are done."""
        ...


class Stages(Protocol):
    """Tells how far the fitting is."""

    def begin(self, what: str, total: int) -> Step:
        """A stage of `total` steps begins; call what it returns as it goes on."""
        ...


@dataclass(frozen=True)
class Problem:
    """What is fitted: the feature columns, the number of classes, and how."""

    names: tuple[str, ...]
    n_classes: int
    trees: TreesSettings = field(default_factory=TreesSettings)
    recurrent: RecurrentSettings = field(default_factory=RecurrentSettings)
    folds: int = 3
    seed: int = 1


def fit_members(examples: Examples, problem: Problem, directory: Path, stages: Stages, what: str) -> tuple[Member, ...]:
    """Fit both members side by side, a thread each, write them into `directory` and load them as a bundle would.

    Parameters
    ----------
    what : tells this fit from others in the stages' names.
    """
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(fit, examples, problem, directory, stages, what) for fit in (_trees, _recurrent)]
    for job in jobs:
        job.result()
    return load_members(directory, problem)


def _trees(examples: Examples, problem: Problem, directory: Path, stages: Stages, what: str) -> None:
    text = fit_trees(
        examples.data.features,
        problem.names,
        examples.labels,
        n_classes=problem.n_classes,
        settings=problem.trees,
        seed=problem.seed,
        tick=stages.begin(f"Trees, {what}", problem.trees.rounds),
    )
    (directory / TREES_FILE).write_text(text)


def _recurrent(examples: Examples, problem: Problem, directory: Path, stages: Stages, what: str) -> None:
    network = fit_recurrent(
        sequences(examples.data.given),
        examples.labels,
        n_classes=problem.n_classes,
        settings=problem.recurrent,
        seed=problem.seed,
        tick=stages.begin(f"Recurrent network, {what}", n_batches(len(examples), problem.recurrent)),
    )
    (directory / RECURRENT_FILE).write_bytes(to_onnx(network))


def load_members(directory: Path, problem: Problem) -> tuple[Member, ...]:
    """The members that `fit_members` wrote."""
    kinds = discover()
    sizes = {"n_features": len(problem.names), "n_classes": problem.n_classes}
    return tuple(kinds[kind].load(directory, {**settings, **sizes}) for kind, settings in SETTINGS.items())


def out_of_fold(examples: Examples, problem: Problem, stages: Stages) -> list[NDArray[np.float64]]:
    """Each member's probabilities of every light curve, from a fit that saw no light curve of its parent.

    Returns
    -------
    list of float64 arrays, shape (n, n_classes), a member each
    """
    answers = [np.zeros((len(examples), problem.n_classes)) for _ in SETTINGS]
    folds = fold_of(examples.parents, problem.folds, problem.seed)
    for fold in range(problem.folds):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        with TemporaryDirectory() as directory:
            what = f"fold {fold + 1} of {problem.folds}"
            members = fit_members(examples.take(inside), problem, Path(directory), stages, what)
            for answer, member in zip(answers, members, strict=True):
                answer[outside] = member.predict(examples.take(outside).data).probabilities
    return answers


def fold_of(parents: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each light curve, the same for all of one parent, shape (n,)."""
    unique, index = np.unique(parents, return_inverse=True)
    return np.random.default_rng(seed).permutation(len(unique))[index] % folds
