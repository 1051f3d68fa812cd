"""Scores a bundle on objects that it wasn't fitted on, by days since the first detection, with and without host."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from classifiers.bundle import Bundle
from classifiers.calibration import bucket
from classifiers.predict import classify
from training.calibrate import SPANS
from training.examples import Examples, Objects, make_examples
from training.scores import score

PER_OBJECT = 4
FEWEST = 20
"""A span with fewer light curves gets no scores."""


def span_scores(bundle: Bundle, objects: Objects, sample: str, seed: int) -> list[dict[str, Any]]:
    """The manifest's score entries of some held-out objects.

    Parameters
    ----------
    sample : what the objects are, for the reader.
    seed : of the truncations, the same for both kinds of host.
    """
    hosts: tuple[Literal["with", "without"], ...] = ("with", "without")
    entries = []
    for host in hosts:
        examples = make_examples(objects, bundle.feature_names, PER_OBJECT, seed, host=host)
        entries += [{"sample": sample, "host": host, **entry} for entry in _by_span(bundle, examples)]
    return entries


def _by_span(bundle: Bundle, examples: Examples) -> Iterator[dict[str, Any]]:
    probabilities, _ = classify(examples.data, bundle)
    prior = np.asarray(bundle.manifest.prior)
    spans = bucket(examples.days, SPANS)
    chosen = {"all": np.full(len(examples), True), **{name: spans == k for k, name in enumerate(span_names())}}
    for name, rows in chosen.items():
        if rows.sum() >= FEWEST:
            yield {"days": name, **score(probabilities[rows], examples.labels[rows], prior).rounded()}


def span_names(edges: tuple[float, ...] = SPANS) -> tuple[str, ...]:
    """The spans between edges, named for people: ``0-2``, ..., ``128+``."""
    names = ("0", *(f"{edge:g}" for edge in edges))
    return (*(f"{low}-{high}" for low, high in pairwise(names)), f"{names[-1]}+")
