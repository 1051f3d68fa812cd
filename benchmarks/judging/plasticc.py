"""The published statistics of all 7,848 real PLAsTiCC training objects: cross-validation, scored as the challenge."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Baseline, Figure, Goal
from benchmarks.judging.curves import CLASSES
from benchmarks.judging.folds import stratified
from benchmarks.judging.judge import Judge
from benchmarks.judging.perceptron import PerceptronSettings, perceptrons
from benchmarks.judging.scores import challenge_loss
from benchmarks.judging.tables import WEIGHTS, Table, published
from benchmarks.judging.trees import split_trees
from classifiers.predict import combine
from training.fit_trees import TreesSettings
from training.scores import nll

FOLDS = 5
Member = Callable[[Table, Table, Judge], NDArray[np.float64]]


def _trees(known: Table, asked: Table, judge: Judge) -> NDArray[np.float64]:
    return split_trees(known, asked, judge.seed, judge.trees(TreesSettings()))


def _perceptrons(known: Table, asked: Table, judge: Judge) -> NDArray[np.float64]:
    settings = PerceptronSettings()
    return perceptrons(known, asked, judge.seed, replace(settings, epochs=judge.amount(settings.epochs)))


MEMBERS: Mapping[str, Member] = {"trees": _trees, "perceptrons": _perceptrons}


def measure(data: Path, judge: Judge) -> Iterator[Figure]:
    """The challenge's loss of each member, and of their geometric mean."""
    table = published(data)
    folds = stratified(table.labels, FOLDS, judge.seed)
    done = np.flatnonzero(folds < judge.amount(FOLDS))
    told = {name: np.zeros((len(folds), len(CLASSES))) for name in MEMBERS}
    for fold in range(judge.amount(FOLDS)):
        judge.say(f"fold {fold + 1} of {FOLDS}")
        known, asked = table.where(folds != fold), table.where(folds == fold)
        for name, member in MEMBERS.items():
            told[name][folds == fold] = member(known, asked, judge)
    yield from _figures({name: answers[done] for name, answers in told.items()}, table.labels[done], judge)


def _figures(told: Mapping[str, NDArray[np.float64]], labels: NDArray[np.int64], judge: Judge) -> Iterator[Figure]:
    answers = list(told.values())
    mean = combine(answers, [1.0] * len(answers))
    losses = {name: challenge_loss(answer, labels, WEIGHTS) for name, answer in told.items()}
    flat = challenge_loss(mean, labels, np.ones(len(CLASSES)))
    judge.confusion("plasticc-tables", mean, labels, CLASSES)
    yield Figure(
        "plasticc.weighted-loss", challenge_loss(mean, labels, WEIGHTS), "nat",
        Baseline("best member", min(losses.values())), Goal("value", "<=", 0.50),
        {"objects": len(labels), "flat": flat, **losses},
    )  # fmt: skip
    yield Figure(
        "plasticc.nll",
        nll(mean, labels),
        "nat",
        Baseline("best member", min(nll(answer, labels) for answer in answers)),
    )
