"""The Supernova Photometric Classification Challenge (Kessler et al. 2010, PASP 122, 1415).

Learn from the 1,103 supernovae that have spectra, bright and near, and tell the types of the 20,216 others.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from benchmarks.figure import Baseline, Figure, Goal
from benchmarks.judging.judge import Judge
from benchmarks.judging.labelled import Labelled
from benchmarks.judging.pipeline import LARGER, Settings, answer
from features.family import FeatureInput
from training.augment import Survey
from training.light_curves import NANOJANSKY, flat_curves
from training.prior import adapt
from training.scores import nll

FILES = ("spcc/metadata.parquet", "spcc/lightcurves.parquet")
CLASSES = ("Ia", "II", "Ibc")
BANDS = {"g": 1, "r": 2, "i": 3, "z": 4}
FARTHEST = 1.25
"""The challenge's redshifts end before."""

DETECTED = 5.0
"""S/N of a detection; the challenge's objects have one at least."""

COPIES = 15


def measure(data: Path, judge: Judge) -> Iterator[Figure]:
    """AUC of type Ia against the rest, and the log-loss of Ia, II and Ibc."""
    objects, with_spectrum = read(data)
    known, asked = (objects.take(judge.some(np.flatnonzero(which))) for which in (with_spectrum, ~with_spectrum))
    copies, trees = judge.amount(COPIES), judge.trees(LARGER)
    plain, _ = answer(known, asked, Settings(trees=trees, seed=judge.seed))
    told, prior = answer(known, asked, replace(_settings(objects, asked, copies, judge.seed), trees=trees))
    adapted, found = adapt(told, prior)
    labels = asked.labels
    about = {"objects": len(asked), "trainedOn": len(known), "copies": copies}
    judge.keep("spcc", adapted, labels, CLASSES)
    yield Figure(
        "spcc.auc-Ia",
        _auc(adapted, labels),
        "",
        Baseline("without copies", _auc(plain, labels)),
        Goal("value", ">=", 0.975),
        about,
    )
    yield Figure(
        "spcc.nll",
        nll(adapted, labels),
        "nat",
        Baseline("without copies", nll(plain, labels)),
        Goal("value", "<=", 0.48),
        {"frequencies": dict(zip(CLASSES, found.tolist(), strict=True))},
    )
    yield Figure("spcc.nll-training-prior", nll(told, labels), "nat", Baseline("without copies", nll(plain, labels)))


def read(data: Path) -> tuple[Labelled, np.ndarray]:
    """All objects of the challenge, and which of them have a spectrum."""
    objects, points = (pd.read_parquet(data / name) for name in FILES)
    points = points[points["flux_err"] > 0]
    points = points.assign(passband=points["band"].map(BANDS), detected=points["flux"] > DETECTED * points["flux_err"])
    row = pd.Index(objects["object_id"]).get_indexer(pd.Index(points["object_id"]))
    photoz, error = (objects[name].where(objects["hostz"] > 0).to_numpy(np.float64) for name in ("hostz", "hostz_err"))
    with_spectrum = (objects["sntype"] > 0).to_numpy()
    labels = np.where(objects["type"] == "Ia", 0, np.where(objects["type"].str.startswith("II"), 1, 2))
    given = FeatureInput(
        flat_curves(points, row, len(objects), NANOJANSKY), photoz, error, objects["mwebv"].to_numpy(np.float64)
    )
    redshift = objects["specz"].where(with_spectrum).to_numpy(np.float64)
    return Labelled(given, labels, CLASSES, redshift, np.arange(len(objects))), with_spectrum


def _settings(objects: Labelled, asked: Labelled, copies: int, seed: int) -> Settings:
    """Copies have the nights and errors, and the errors of photo-z, of the objects that are asked for."""
    survey = Survey(asked.given.curves, _detect, fewest=1, farthest=FARTHEST)
    return Settings(survey, copies, partial(_photoz, objects), seed=seed)


def _detect(_rng: np.random.Generator, _flux: np.ndarray, measured: np.ndarray, flux_err: np.ndarray) -> np.ndarray:
    return np.asarray(measured > DETECTED * flux_err)


def _photoz(objects: Labelled, rng: np.random.Generator, redshift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A photo-z for a redshift, with the error of an object of about that photo-z."""
    known = np.isfinite(objects.given.host_photoz)
    order = np.argsort(objects.given.host_photoz[known])
    near = np.searchsorted(objects.given.host_photoz[known][order], redshift) + rng.integers(-50, 50, len(redshift))
    error = objects.given.host_photoz_err[known][order][np.clip(near, 0, known.sum() - 1)]
    return np.maximum(redshift + error * rng.standard_normal(len(redshift)), 0.01), error


def _auc(probabilities: np.ndarray, labels: np.ndarray) -> float:
    return float(roc_auc_score(labels == 0, probabilities[:, 0]))
