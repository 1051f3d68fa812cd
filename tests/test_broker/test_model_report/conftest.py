"""Evaluations of real bundles on the published PLAsTiCC light curves, in seconds."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers.bundle import Bundle, default_bundle_path
from classifiers.evaluation import EVALUATION, Cost, Evaluation, NoveltyTrial, write_evaluation
from training.evaluation.bundle import evaluate
from training.sources import published_sources


class Silent:
    def begin(self, *_):
        return lambda *_: None


def evaluation_of(bundle: Bundle) -> Evaluation:
    return evaluate(bundle, published_sources(1)[:1], 1, Silent())


@pytest.fixture(scope="session")
def evaluation() -> Evaluation:
    """Of the shipped bundle, with a cost and a trial of novelty."""
    found = evaluation_of(Bundle.load(default_bundle_path()))
    cost = Cost(step="classify", batch=64, points=125, calls=50, p50=1234.5, p99=2345.6)
    trial = NoveltyTrial(class_id=2232, objects=31, auroc=0.875, auroc_uncertainty=0.625)
    return found.model_copy(update={"cost": (cost,), "novelty": (trial,)})


@pytest.fixture(scope="session")
def blunter() -> Evaluation:
    """Of the shipped bundle with temperatures twice as high."""
    bundle = Bundle.load(default_bundle_path())
    calibration = bundle.manifest.calibration
    changed = calibration.model_copy(update={"temperatures": 2 * np.array(calibration.temperatures)})
    manifest = bundle.manifest.model_copy(update={"calibration": changed, "version": "blunter"})
    return evaluation_of(replace(bundle, manifest=manifest))


@pytest.fixture
def scored(evaluation: Evaluation, tmp_path: Path) -> Path:
    """The shipped bundle with this evaluation in it."""
    path = Path(shutil.copytree(default_bundle_path(), tmp_path / "scored"))
    write_evaluation(path / EVALUATION, evaluation)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"].pop(EVALUATION, None)
    (path / "manifest.json").write_text(json.dumps(manifest))
    (path / "cost.json").unlink(missing_ok=True)
    return path
