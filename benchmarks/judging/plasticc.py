"""The published statistics of all 7,848 real PLAsTiCC training objects: cross-validation, scored as the challenge."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Baseline, Figure, Goal
from benchmarks.judging.blend import BLEND, Blend, Member, blended, side_by_side
from benchmarks.judging.curves import CLASSES
from benchmarks.judging.folds import stratified
from benchmarks.judging.judge import Judge
from benchmarks.judging.perceptron import PerceptronSettings, perceptrons
from benchmarks.judging.rest_frame import with_rest_frame
from benchmarks.judging.scores import challenge_loss
from benchmarks.judging.tables import WEIGHTS, Table, published
from benchmarks.judging.trees import split_trees
from training.fit_trees import TreesSettings
from training.scores import ece, nll

FOLDS = 5


def measure(data: Path, judge: Judge) -> Iterator[Figure]:
    """The challenge's loss of all members together, beside that of each."""
    table, members = published(data), _members(judge)
    folds = stratified(table.labels, FOLDS, judge.seed)
    told = {name: np.zeros((len(folds), len(CLASSES))) for name in members}
    for fold in range(judge.amount(FOLDS, 2)):
        judge.say(f"fold {fold + 1} of {FOLDS}")
        inside = folds == fold
        for name, answer in side_by_side(members, table.where(~inside), table.where(inside)).items():
            told[name][inside] = answer
    done = np.flatnonzero(folds < judge.amount(FOLDS, 2))
    told, labels = {name: answers[done] for name, answers in told.items()}, table.labels[done]
    blend, blends = blended(list(told.values()), labels, folds[done])
    yield from _figures({**told, BLEND: blend}, labels, blends, judge)


def _members(judge: Judge) -> Mapping[str, Member]:
    networks, trees = PerceptronSettings(), judge.trees(TreesSettings())
    networks = replace(networks, epochs=judge.amount(networks.epochs))
    return {
        "perceptrons": partial(perceptrons, seed=judge.seed, settings=networks),
        "trees": partial(split_trees, seed=judge.seed, settings=trees),
        "trees-rest-frame": partial(_rest_frame_trees, seed=judge.seed + 1, settings=trees),
    }


def _rest_frame_trees(known: Table, asked: Table, seed: int, settings: TreesSettings) -> NDArray[np.float64]:
    return split_trees(with_rest_frame(known), with_rest_frame(asked), seed, settings)


def _figures(
    told: Mapping[str, NDArray[np.float64]], labels: NDArray[np.int64], blends: list[Blend], judge: Judge
) -> Iterator[Figure]:
    judge.keep("plasticc-tables", told[BLEND], labels, CLASSES)
    flat, goal = np.ones(len(CLASSES)), Goal("value", "<=", 0.50)
    yield _figure(
        "weighted-loss",
        {name: challenge_loss(answer, labels, WEIGHTS) for name, answer in told.items()},
        {"objects": len(labels), "ece": ece(told[BLEND], labels), "blends": [asdict(blend) for blend in blends]},
        goal,
    )
    yield _figure("flat-loss", {name: challenge_loss(answer, labels, flat) for name, answer in told.items()})
    yield _figure("nll", {name: nll(answer, labels) for name, answer in told.items()})


def _figure(
    name: str, losses: Mapping[str, float], details: Mapping[str, Any] | None = None, goal: Goal | None = None
) -> Figure:
    members = {each: loss for each, loss in losses.items() if each != BLEND}
    best = Baseline("best member", min(members.values()))
    return Figure(f"plasticc.{name}", losses[BLEND], "nat", best, goal, {**(details or {}), **members})
