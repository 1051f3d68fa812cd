"""Published light curves through the bundle that ships: those that it was not fitted on.

The 100 real PLAsTiCC training objects that are to be had, and the 346 of ELAsTiCC2, which another group simulated with
other models. The shipped bundle was fitted on half of each.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.figure import Baseline, Figure
from benchmarks.judging.judge import Judge
from classifiers.bundle import Bundle, default_bundle_path
from classifiers.predict import classify
from classifiers.taxonomy import BY_PLASTICC, PLASTICC_TARGETS
from training.examples import Objects, make_examples
from training.prior import frequencies
from training.scores import nll
from training.sources import published_sources
from training.views import Host

CLASSES = tuple(BY_PLASTICC[target].name for target in PLASTICC_TARGETS)
HOSTS: tuple[Host, ...] = ("with", "without")


def measure(_data: Path, judge: Judge) -> Iterator[Figure]:
    """Log-loss of whole light curves, with and without what the host tells; the confusion without it, as for LSST."""
    bundle = Bundle.load(default_bundle_path())
    for name, source in zip(("plasticc-100", "elasticc2-346"), published_sources(_seed(bundle)), strict=True):
        yield from _scores(name, source.test, bundle, judge)


def _scores(name: str, objects: Objects, bundle: Bundle, judge: Judge) -> Iterator[Figure]:
    alone = np.tile(frequencies(objects.labels, len(CLASSES)), (len(objects), 1))
    for host in HOSTS:
        examples = make_examples(objects, bundle.feature_names, 1, judge.seed, host=host)
        told, _ = classify(examples.data, bundle)
        right = float((told.argmax(axis=1) == examples.labels).mean())
        yield Figure(
            f"{name}.nll-{host}-host", nll(told, examples.labels), "nat",
            Baseline("frequencies alone", nll(alone, objects.labels)), None,
            {"objects": len(examples), "right": right, "bundle": bundle.manifest.name},
        )  # fmt: skip
    judge.keep(name, told, examples.labels, CLASSES)


def _seed(bundle: Bundle) -> int:
    """What chose the objects that the bundle was not fitted on."""
    return bundle.manifest.training_set.sources[0].seed
