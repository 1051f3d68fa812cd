"""From fitted members to a bundle on disk, with a manifest that says what it was fitted on and how good it is."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.bundle import save
from classifiers.evaluation import EVALUATION
from classifiers.manifest import CalibrationEntry
from classifiers.taxonomy import BY_PLASTICC, PLASTICC_TARGETS
from features.extract import code_hash
from training.examples import Examples
from training.members import RECURRENT, files_of
from training.problem import Problem
from training.sources import Source

NOVELTY_FILE, NEIGHBOURS_FILE = "novelty.npz", "neighbours.npz"
NODES = tuple(BY_PLASTICC[target] for target in PLASTICC_TARGETS)


@dataclass(frozen=True)
class Title:
    """What a bundle is called."""

    name: str
    version: str


def describe(
    title: Title,
    problem: Problem,
    found: Sequence[Source],
    examples: Examples,
    *,
    members: Sequence[dict[str, Any]],
    weights: Sequence[float],
    calibration: CalibrationEntry,
) -> dict[str, Any]:
    """The manifest, without scores and file hashes.

    Parameters
    ----------
    found : where the objects came from.
    examples : what the members were fitted on.
    members : the kind and the settings of each.
    weights, calibration : from `training.calibrate`.
    """
    return {
        "name": title.name,
        "version": title.version,
        "classes": [{"id": node.id, "name": node.name, "plasticc": node.plasticc} for node in NODES],
        "features": list(problem.names),
        "members": [
            {**member, "files": files_of(member["settings"]), "weight": weight}
            for member, weight in zip(members, weights, strict=True)
        ],
        "calibration": calibration.model_dump(mode="json"),
        "novelty": {"file": NOVELTY_FILE, "member": [member["kind"] for member in members].index(RECURRENT)},
        "neighbours": {"file": NEIGHBOURS_FILE},
        "training_set": _training_set(problem, found, examples),
        "prior": [float(round(share, 6)) for share in _counts(examples.labels) / len(examples)],
        "scores": [],
        "code_version": code_version(),
        "features_code_sha256": code_hash(),
    }


def write(directory: Path, manifest: dict[str, Any], scores: Sequence[dict[str, Any]] = ()) -> None:
    """Write manifest.json beside the weights, and beside the evaluation where there is one."""
    files = tuple(name for member in manifest["members"] for name in member["files"])
    evaluation = (EVALUATION,) if (directory / EVALUATION).exists() else ()
    save(directory, {**manifest, "scores": list(scores)}, (*files, NOVELTY_FILE, NEIGHBOURS_FILE, *evaluation))


def code_version() -> str:
    """Boreal's version, installed or in a checkout."""
    try:
        return installed_version("boreal-broker")
    except PackageNotFoundError:
        project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
        return str(project["version"])


def _training_set(problem: Problem, found: Sequence[Source], examples: Examples) -> dict[str, Any]:
    objects = np.concatenate([source.fit.labels for source in found])
    return {
        "description": (
            f"{len(objects)} objects, {len(examples)} light curves of them: each whole and at random ages up to "
            "1024 days, some cut to what packets hold, photo-z and extinction hidden from half"
        ),
        "sources": [
            {"name": source.name, "objects": len(source.fit), "seed": problem.seed, "licence": source.licence}
            for source in found
        ],
        "objects_per_class": _named(_counts(objects)),
        "light_curves_per_class": _named(_counts(examples.labels)),
        "sha256": examples.sha256(),
    }


def _counts(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.bincount(labels, minlength=len(NODES))


def _named(counts: NDArray[np.int64]) -> dict[str, int]:
    return {node.name: int(count) for node, count in zip(NODES, counts, strict=True)}
