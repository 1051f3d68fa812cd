"""A model that has seen nothing but the simulator's objects, asked about the real ones by their published statistics.

The simulator draws after the metadata of the real objects, so these are parted: what is drawn after an object of a fold
isn't in the training set of that fold. The same trees learn from the real objects of the other folds beside it.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from benchmarks.figure import Baseline, Figure, Goal
from benchmarks.judging.curves import CLASSES
from benchmarks.judging.judge import Judge
from benchmarks.judging.scores import challenge_loss
from benchmarks.judging.tables import WEIGHTS, Table, computed, published
from benchmarks.judging.trees import split_trees
from training.ensemble import fold_of
from training.fit_trees import TreesSettings
from training.prior import frequencies, with_prior
from training.scores import nll
from training.shipped import shipped
from training.simulate.run import simulate_tables

OBJECTS, FOLDS = 20_000, 5
BALANCE = 0.4
"""How far the simulated class shares are moved to equal ones: rare classes are learned, too."""

ALIKE = 0.2
"""Columns are used whose distributions within classes are, in the mean, no further from the real ones (KS)."""

FEWEST = 20


def measure(data: Path, judge: Judge) -> Iterator[Figure]:
    """The challenge's loss over all real objects, beside that of a cross-validation among them."""
    real, ids = published(data), shipped("plasticc_metadata")["object_id"].to_numpy(np.int64)
    simulated, parents = draw(judge.amount(OBJECTS, 600), judge.seed)
    fold, index = fold_of(ids, FOLDS, judge.seed), pd.Index(ids)
    real_fold, drawn_fold = fold[index.get_indexer(real.objects)], fold[index.get_indexer(parents)]
    columns, trees = alike(simulated, real), judge.trees(TreesSettings())
    told, among = np.zeros((2, len(real.labels), len(CLASSES)))
    for number in range(judge.amount(FOLDS)):
        asked = real.where(real_fold == number)
        known, others = simulated.where(drawn_fold != number), real.where(real_fold != number)
        judge.say(f"fold {number + 1} of {FOLDS}")
        told[real_fold == number] = with_prior(
            split_trees(known.only(columns), asked.only(columns), judge.seed, trees),
            frequencies(known.labels, len(CLASSES)),
            frequencies(others.labels, len(CLASSES)),
        )
        among[real_fold == number] = split_trees(others.only(columns), asked.only(columns), judge.seed, trees)
    done = np.flatnonzero(real_fold < judge.amount(FOLDS))
    yield from _figures(told[done], among[done], real.labels[done], judge, len(columns))


def draw(objects: int, seed: int) -> tuple[Table, NDArray[np.int64]]:
    """Simulated objects as a table, and the real object that each was drawn after."""
    points, metadata = simulate_tables(objects, seed, balance=BALANCE)
    return computed(points, metadata), metadata["parent_id"].to_numpy(np.int64)


def alike(simulated: Table, real: Table) -> list[str]:
    """The columns in which the simulation is like the real objects."""
    return [name for name in map(str, real.columns) if distance(simulated, real, name) < ALIKE]


def distance(simulated: Table, real: Table, name: str) -> float:
    """The mean over classes of the Kolmogorov-Smirnov distance of a column."""
    found = []
    for label in range(len(CLASSES)):
        one, other = (table.columns[name][table.labels == label].dropna() for table in (simulated, real))
        if min(len(one), len(other)) >= FEWEST:
            found.append(ks_2samp(one, other).statistic)
    return float(np.mean(found)) if found else 0.0


def _figures(
    told: NDArray[np.float64], among: NDArray[np.float64], labels: NDArray[np.int64], judge: Judge, columns: int
) -> Iterator[Figure]:
    judge.keep("simulated", told, labels, CLASSES)
    what = "trained on the real ones"
    yield Figure(
        "simulated.weighted-loss", challenge_loss(told, labels, WEIGHTS), "nat",
        Baseline(what, challenge_loss(among, labels, WEIGHTS)), Goal("value", "<=", 1.3),
        {"objects": len(labels), "simulated": judge.amount(OBJECTS, 600), "columns": columns},
    )  # fmt: skip
    yield Figure("simulated.nll", nll(told, labels), "nat", Baseline(what, nll(among, labels)))
