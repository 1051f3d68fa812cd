"""From the answers to a sample's light curves to their scores, by age, number of detections and span of days."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers._rows import safe_log
from classifiers.calibration import bucket
from classifiers.evaluation import ENSEMBLE, Answer, Group, ObjectLosses
from classifiers.manifest import Manifest
from training.evaluation.asked import Asked
from training.evaluation.cuts import AGES, DETECTIONS
from training.evaluation.figures import group
from training.evaluation.stability import stability
from training.examples import Objects
from training.span_scores import span_names

CLASS_AGES = (1.0, 8.0, 64.0, 256.0)
"""The ages at which the ensemble's scores of each class and its confusion are told."""

LOSS_DIGITS = 4


def scored(name: str, manifest: Manifest, asked: Asked) -> Answer:
    """The scores of one who answers.

    Parameters
    ----------
    name : one of those in ``asked.answered.probabilities``.
    """
    probabilities = asked.answered.probabilities[name]
    ages, detections = (_Table.of(name, part, manifest, asked) for part in (asked.ages, asked.detections))
    told = CLASS_AGES if name == ENSEMBLE else ()
    spans = bucket(asked.answered.days[asked.ages], manifest.calibration.days)
    return Answer(
        name=name,
        all_ages=ages.group("all", np.full(len(ages.labels), True), by_class=True, in_bins=True),
        ages=ages.groups([f"{age:g}" for age in AGES], asked.groups[asked.ages], [age in told for age in AGES]),
        detections=detections.groups([_range(*ends) for ends in DETECTIONS], asked.groups[asked.detections]),
        spans=ages.groups(span_names(manifest.calibration.days), spans, in_bins=True),
        stability_of_ages=stability(probabilities[asked.ages], asked.objects[asked.ages]),
        stability_of_detections=stability(probabilities[asked.alerts], asked.objects[asked.alerts]),
    )


def losses(objects: Objects, manifest: Manifest, asked: Asked) -> ObjectLosses:
    """What the ensemble's answer costs each object at each age."""
    labels, rows = asked.labels[asked.ages], asked.objects[asked.ages]
    told = -safe_log(asked.answered.probabilities[ENSEMBLE][asked.ages])[np.arange(len(labels)), labels]
    table = np.full((len(objects), len(AGES)), np.nan)
    table[rows, asked.groups[asked.ages]] = np.round(told, LOSS_DIGITS)
    return ObjectLosses(
        ids=tuple(map(str, objects.alerts.table["source_id"].to_pylist())),
        class_ids=tuple(manifest.classes[label].id for label in objects.labels),
        nll=tuple(tuple(None if np.isnan(loss) else loss for loss in row) for row in table.tolist()),
    )


@dataclass(frozen=True)
class _Table:
    """Answers to some light curves, and what is true of them; groups without a light curve are left out."""

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    objects: NDArray[np.int64]
    manifest: Manifest

    @classmethod
    def of(cls, name: str, part: slice, manifest: Manifest, asked: Asked) -> "_Table":
        return cls(asked.answered.probabilities[name][part], asked.labels[part], asked.objects[part], manifest)

    def group(self, name: str, rows: NDArray[np.bool_], *, by_class: bool = False, in_bins: bool = False) -> Group:
        return group(
            name,
            self.probabilities[rows],
            self.labels[rows],
            self.objects[rows],
            np.asarray(self.manifest.prior),
            tuple(entry.id for entry in self.manifest.classes),
            by_class=by_class,
            in_bins=in_bins,
        )

    def groups(
        self, names: Sequence[str], groups: NDArray[np.int64], by_class: Sequence[bool] = (), *, in_bins: bool = False
    ) -> tuple[Group, ...]:
        return tuple(
            self.group(name, groups == k, by_class=bool(by_class) and by_class[k], in_bins=in_bins)
            for k, name in enumerate(names)
            if (groups == k).any()
        )


def _range(first: int, last: int | None) -> str:
    if last is None:
        return f"{first}+"
    return f"{first}" if first == last else f"{first}-{last}"
