"""The members of an ensemble: how each is fitted and written, and what the manifest says of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import classifiers.sequences
import training.export
import training.fit_oblivious
import training.fit_recurrent
import training.fit_trees
import training.network
from classifiers.sequences import OBJECT_INPUTS, POINT_INPUTS, sequences
from training.examples import Examples
from training.export import to_onnx
from training.fit_oblivious import fit_oblivious
from training.fit_recurrent import fit_recurrent, n_batches
from training.fit_trees import fit_trees
from training.problem import Problem

RECURRENT = "recurrent"
"""The member whose latent the novelty score reads."""


class Step(Protocol):
    """Tells that a stage is further."""

    def __call__(self, count: int = 1, /) -> None:
        """So many steps more are done."""
        ...


@dataclass(frozen=True)
class Maker:
    """How members of one kind are made.

    Parameters
    ----------
    kind : as manifests name it.
    steps : how many steps a fit takes, for the progress bar.
    fit : fits a member, writes its files into a folder, and gives its settings in the manifest; it calls the step.
    settings : of the problem, those that this kind is fitted by.
    code : the modules that do it.
    libraries : the distributions that do it.
    alone : whether no other fit of this kind may run beside it in one process.
    """

    kind: str
    steps: Callable[[Examples, Problem], int]
    fit: Callable[[Examples, Problem, Path, Step], Mapping[str, Any]]
    settings: Callable[[Problem], object]
    code: tuple[ModuleType, ...]
    libraries: tuple[str, ...]
    alone: bool = False


def files_of(settings: Mapping[str, Any]) -> list[str]:
    """The files that a member's settings name, in the order they are named."""
    found: list[str] = []
    for name, value in settings.items():
        if name in ("file", "gate") and value is not None:
            found.append(value)
        elif name == "groups":
            found += [file for group in value for file in files_of(group)]
    return found


def _fit_trees(examples: Examples, problem: Problem, folder: Path, step: Step) -> Mapping[str, Any]:
    """A model a group that has light curves, and one that tells the groups apart."""
    group_of = problem.group_of_classes()[examples.labels]
    present = np.unique(group_of)
    groups = [_group(examples, problem, folder, step, problem.groups[k], group_of == k) for k in present]
    gate = None
    if len(present) > 1:
        gate = "trees_gate.txt"
        labels = np.searchsorted(present, group_of)
        _write_trees(examples.data.features, labels, len(present), problem, folder / gate, step)
    return {"gate": gate, "groups": groups}


def _group(
    examples: Examples, problem: Problem, folder: Path, step: Step, group: Any, rows: NDArray[np.bool_]
) -> dict[str, Any]:
    file = f"trees_{group.name}.txt" if len(group.classes) > 1 else None
    if file:
        labels = np.searchsorted(group.classes, examples.labels[rows])
        _write_trees(examples.data.features[rows], labels, len(group.classes), problem, folder / file, step)
    return {"classes": list(group.classes), "file": file}


def _write_trees(
    features: NDArray[np.float32], labels: NDArray[np.int64], n_classes: int, problem: Problem, path: Path, step: Step
) -> None:
    path.write_text(
        fit_trees(
            features, problem.names, labels, n_classes=n_classes, settings=problem.trees, seed=problem.seed, tick=step
        )
    )


def _trees_steps(examples: Examples, problem: Problem) -> int:
    present = np.unique(problem.group_of_classes()[examples.labels])
    models = sum(len(problem.groups[k].classes) > 1 for k in present) + (len(present) > 1)
    return models * problem.trees.rounds


def _fit_recurrent(examples: Examples, problem: Problem, folder: Path, step: Step) -> Mapping[str, Any]:
    network = fit_recurrent(
        sequences(examples.data.given),
        examples.labels,
        n_classes=problem.n_classes,
        settings=problem.recurrent,
        seed=problem.seed,
        tick=step,
    )
    (folder / "recurrent.onnx").write_bytes(to_onnx(network))
    return {"file": "recurrent.onnx", "point_inputs": list(POINT_INPUTS), "object_inputs": list(OBJECT_INPUTS)}


def _fit_oblivious(examples: Examples, problem: Problem, folder: Path, step: Step) -> Mapping[str, Any]:
    arrays = fit_oblivious(
        examples.data.features,
        examples.labels,
        n_classes=problem.n_classes,
        settings=problem.oblivious,
        seed=problem.seed,
        tick=step,
    )
    np.savez(folder / "oblivious.npz", allow_pickle=False, **arrays)
    return {"file": "oblivious.npz"}


TREES = Maker(
    "trees", _trees_steps, _fit_trees,
    lambda problem: (problem.trees, problem.groups, problem.names), (training.fit_trees,), ("lightgbm",),
)  # fmt: skip
NETWORK = Maker(
    RECURRENT, lambda examples, problem: n_batches(len(examples), problem.recurrent), _fit_recurrent,
    lambda problem: problem.recurrent,
    (classifiers.sequences, training.network, training.fit_recurrent, training.export), ("torch", "onnx"), alone=True,
)  # fmt: skip
OBLIVIOUS = Maker(
    "oblivious", lambda _, problem: problem.oblivious.rounds, _fit_oblivious,
    lambda problem: (problem.oblivious, problem.names), (training.fit_oblivious,), ("catboost",),
)  # fmt: skip

MAKERS: Sequence[Maker] = (TREES, NETWORK, OBLIVIOUS)
"""The members, in the order of the manifest."""
