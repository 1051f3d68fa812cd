"""MALLORN (arXiv:2512.04946), LSST-like light curves made from real ZTF transients of six classes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.figure import Baseline, Figure
from benchmarks.judging.folds import stratified
from benchmarks.judging.judge import Judge
from benchmarks.judging.labelled import Labelled
from benchmarks.judging.pipeline import LARGER, Settings, in_folds
from benchmarks.judging.scores import best_f1, f1_at
from features.family import FeatureInput
from schemas.alerts import BANDS
from training.light_curves import flat_curves
from training.prior import frequencies
from training.scores import nll

FILES = ("mallorn/train_log.csv", "mallorn/train_lightcurves.parquet")
CLASSES = ("AGN", "SN Ia", "SN II", "SN Ib/c", "SLSN", "TDE")
TYPES = {
    "AGN": "AGN", "TDE": "TDE", "SLSN-I": "SLSN", "SLSN-II": "SLSN",
    "SN Ia": "SN Ia", "SN Ia-91T-like": "SN Ia", "SN Ia-pec": "SN Ia", "SN Ia-91bg-like": "SN Ia",
    "SN Iax[02cx-like]": "SN Ia",
    "SN II": "SN II", "SN IIP": "SN II", "SN IIn": "SN II", "SN IIb": "SN Ib/c",
    "SN Ib": "SN Ib/c", "SN Ic": "SN Ib/c", "SN Ic-BL": "SN Ib/c",
}  # fmt: skip
"""The set's sixteen types in six classes; half of the types have less than fifteen objects."""

DETECTED = 5.0
MICROJANSKY = 1000.0
"""nJy in the set's unit of flux."""

REDSHIFT_ERROR = 0.001
"""Of the spectroscopic redshifts, which the set tells without an error."""

FOLDS = 5


def measure(data: Path, judge: Judge) -> Iterator[Figure]:
    """F1 of tidal disruption events against the rest, by the threshold of the other folds; log-loss of the classes."""
    objects = read(data)
    objects = objects.take(judge.some(np.arange(len(objects))))
    folds = stratified(objects.labels, FOLDS, judge.seed)
    told = in_folds(objects, folds, Settings(trees=judge.trees(LARGER), seed=judge.seed))
    probability, true = told[:, CLASSES.index("TDE")], objects.labels == CLASSES.index("TDE")
    judge.keep("mallorn", told, objects.labels, CLASSES)
    f1 = f1_by_fold(probability, true, folds)
    everything = 2.0 * true.sum() / (len(true) + true.sum())
    yield Figure("mallorn.f1-TDE", f1, "", Baseline("calling all so", everything), None, {"objects": len(objects)})
    prior = frequencies(objects.labels, len(CLASSES))
    yield Figure(
        "mallorn.nll",
        nll(told, objects.labels),
        "nat",
        Baseline("frequencies alone", nll(np.tile(prior, (len(objects), 1)), objects.labels)),
    )


def read(data: Path) -> Labelled:
    """The labelled objects of the set."""
    objects, points = pd.read_csv(data / FILES[0]), pd.read_parquet(data / FILES[1])
    points = points[points["flux"].notna() & (points["flux_err"] > 0)]
    points = points.assign(
        passband=points["band"].map({band: number for number, band in enumerate(BANDS)}),
        detected=points["flux"] > DETECTED * points["flux_err"],
    )
    row = pd.Index(objects["object_id"]).get_indexer(pd.Index(points["object_id"]))
    redshift = objects["Z"].to_numpy(np.float64)
    curves, reddening = flat_curves(points, row, len(objects), MICROJANSKY), objects["EBV"].to_numpy(np.float64)
    given = FeatureInput(curves, redshift, REDSHIFT_ERROR * (1.0 + redshift), reddening)
    labels = objects["SpecType"].map(TYPES).map(CLASSES.index).to_numpy(np.int64)
    return Labelled(given, labels, CLASSES, redshift, np.arange(len(objects)))


def f1_by_fold(probability: np.ndarray, true: np.ndarray, folds: np.ndarray) -> float:
    """F1 over all folds together; the threshold of a fold is the best one for the others."""
    chosen = np.zeros(len(true), np.bool_)
    for fold in np.unique(folds):
        inside = folds == fold
        _, threshold = best_f1(probability[~inside], true[~inside])
        chosen[inside] = probability[inside] >= threshold
    return f1_at(0.5, chosen.astype(np.float64), true)
