"""Fits all members, once for each fold and once on everything, as many side by side as there are processors."""

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.member import Member
from classifiers.members import discover
from features.extract import code_hash
from training.examples import Examples
from training.members import MAKERS, Maker, Step
from training.parts import Parts, code_of, releases_of
from training.problem import Problem

SETTINGS_FILE = "settings.json"


class Stages(Protocol):
    """Tells how far the fitting is."""

    def begin(self, what: str, total: int) -> Step:
        """A stage of `total` steps begins; call what it returns as it goes on."""
        ...


@dataclass(frozen=True)
class Job:
    """A member to fit.

    Parameters
    ----------
    maker : how.
    what : tells this fit from others of its kind.
    rows : int64 array, the light curves it is fitted on.
    """

    maker: Maker
    what: str
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Fitted:
    """Members that were fitted on everything, and what members fitted on the other folds say of each light curve.

    Parameters
    ----------
    folders : of the parts that hold the members, in the order of `MAKERS`.
    answers : float64 arrays, shape (n, n_classes), a member each: from a fit that saw no light curve of its parent.
    """

    folders: tuple[Path, ...]
    answers: list[NDArray[np.float64]]


def fit_members(examples: Examples, problem: Problem, parts: Parts, stages: Stages) -> Fitted:
    """Fit every member on everything and without each fold; what `parts` holds already isn't fitted again."""
    folds = fold_of(examples.parents, problem.folds, problem.seed)
    jobs = [
        Job(maker, f"fold {fold + 1} of {problem.folds}", np.flatnonzero(folds != fold))
        for fold in range(problem.folds)
        for maker in MAKERS
    ]
    jobs += [Job(maker, "all folds", np.arange(len(examples))) for maker in MAKERS]
    folders = _side_by_side(jobs, examples, problem, parts, stages)
    answers = [np.zeros((len(examples), problem.n_classes)) for _ in MAKERS]
    for fold in range(problem.folds):
        outside = np.flatnonzero(folds == fold)
        asked = examples.take(outside).data
        for answer, folder in zip(answers, folders[fold * len(MAKERS) :], strict=False):
            answer[outside] = load_member(folder, problem).predict(asked).probabilities
    return Fitted(tuple(folders[-len(MAKERS) :]), answers)


def _side_by_side(
    jobs: Sequence[Job], examples: Examples, problem: Problem, parts: Parts, stages: Stages
) -> list[Path]:
    """The parts of all jobs. torch has one source of random numbers a process, so its fits follow one another."""
    made_of = (examples.sha256(), code_hash(), problem.n_classes, problem.seed)
    others = max(1, (os.cpu_count() or 1) - 1)
    with ThreadPoolExecutor(1) as alone, ThreadPoolExecutor(others) as pool:
        waiting = [
            (alone if job.maker.alone else pool).submit(_fit, job, examples, made_of, problem, parts, stages)
            for job in jobs
        ]
        try:
            return [each.result() for each in waiting]
        except BaseException:
            for each in waiting:
                each.cancel()
            raise


def _fit(
    job: Job, examples: Examples, made_of: tuple[object, ...], problem: Problem, parts: Parts, stages: Stages
) -> Path:
    """The part that holds a member: its files, and its settings in the manifest."""
    maker = job.maker
    rows = hashlib.sha256(job.rows.tobytes()).hexdigest()
    how = (maker.settings(problem), code_of(*maker.code), releases_of(*maker.libraries))
    write = partial(_write, job, examples, problem, stages)
    return parts.keep(f"{maker.kind} {job.what}", (*made_of, rows, *how), write)


def _write(job: Job, examples: Examples, problem: Problem, stages: Stages, folder: Path) -> None:
    sample = examples.take(job.rows)
    step = stages.begin(f"{job.maker.kind}, {job.what}", job.maker.steps(sample, problem))
    settings = job.maker.fit(sample, problem, folder, step)
    (folder / SETTINGS_FILE).write_text(json.dumps({"kind": job.maker.kind, "settings": settings}))


def settings_of(folder: Path) -> dict[str, Any]:
    """The kind and the settings of a member that `fit_members` wrote."""
    found: dict[str, Any] = json.loads((folder / SETTINGS_FILE).read_text())
    return found


def load_member(folder: Path, problem: Problem) -> Member:
    """A member that `fit_members` wrote, as a bundle would load it."""
    found = settings_of(folder)
    sizes = {"n_features": len(problem.names), "n_classes": problem.n_classes}
    return discover()[found["kind"]].load(folder, {**found["settings"], **sizes})


def fold_of(parents: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each light curve, the same for all of one parent, shape (n,)."""
    unique, index = np.unique(parents, return_inverse=True)
    return np.random.default_rng(seed).permutation(len(unique))[index] % folds
