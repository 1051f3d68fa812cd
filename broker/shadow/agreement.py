"""How far two bundles agree, added up a night at a time: by class, by night, by how much was known of the alert."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from broker.compare.changes import STEPS
from broker.shadow.probabilities import IDS, Floats, by_class

DETECTIONS = (2, 4, 8, 16, 32)
"""Edges between groups of alerts by their number of detections; an edge opens a group."""

DAYS = (2.0, 8.0, 32.0, 128.0)
"""The same by days since the first detection: the spans of the shipped bundle's calibration."""

KEPT = 64
"""How many of the alerts on which they differ most are remembered."""

REASONS = 20
"""How many reasons of failures are told apart."""

TOLD = (
    "survey", "alertId", "diaSourceId", "objectId", "mjdTai", "night", "nDetections", "daysSinceFirstDetection",
    "className", "probability", "novelty", "shadowClassName", "shadowProbability", "shadowNovelty", "distance",
)  # fmt: skip
"""What is remembered of them."""


@dataclass
class Group:
    """Alerts that both bundles answered on.

    Parameters
    ----------
    alerts : how many.
    same : of those, with the same best class.
    distance : sum of the distances of the two answers.
    """

    alerts: int = 0
    same: int = 0
    distance: float = 0.0

    def add(self, same: NDArray[np.bool_], distance: Floats) -> None:
        """Count more alerts."""
        self.alerts += len(same)
        self.same += int(same.sum())
        self.distance += float(distance.sum())

    @property
    def agreement(self) -> float | None:
        """Share with the same best class; None without any."""
        return self.same / self.alerts if self.alerts else None

    @property
    def mean_distance(self) -> float | None:
        """None without any."""
        return self.distance / self.alerts if self.alerts else None


@dataclass
class Night:
    """An observing night: alerts that both answered on, failures of the shadow, and the sums of all probabilities."""

    both: Group = field(default_factory=Group)
    failures: int = 0
    first: Floats = field(default_factory=lambda: np.zeros(len(IDS)))
    second: Floats = field(default_factory=lambda: np.zeros(len(IDS)))


@dataclass
class Agreement:
    """How far two bundles agree.

    Parameters
    ----------
    total : over all alerts.
    nights : by observing night.
    classes : by the first bundle's best class.
    moves : alerts by the best class of each.
    detections, days : by group; of `days` the last are alerts without a detection.
    distances : alerts with a distance up to each of `STEPS`, and above the one before.
    failures : alerts that the shadow failed on, by reason.
    seconds, timed : time that the shadow took, and for how many alerts.
    novelty : sum over alerts that both have it of, and number of those above 1, of the first and of the second.
    most : the alerts on which they differ most.
    """

    total: Group = field(default_factory=Group)
    nights: dict[int, Night] = field(default_factory=dict)
    classes: dict[int, Group] = field(default_factory=dict)
    moves: Counter[tuple[int, int]] = field(default_factory=Counter)
    detections: list[Group] = field(default_factory=lambda: [Group() for _ in range(len(DETECTIONS) + 1)])
    days: list[Group] = field(default_factory=lambda: [Group() for _ in range(len(DAYS) + 2)])
    distances: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(STEPS), dtype=np.int64))
    failures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    timed: int = 0
    novelty: Floats = field(default_factory=lambda: np.zeros((2, 2)))
    novelty_known: int = 0
    most: list[dict[str, Any]] = field(default_factory=list)

    def add(self, night: int, rows: pa.Table) -> None:
        """Count the rows of a night (`broker.shadow.rows.COMPARED`)."""
        self._count_costs(rows)
        failed = rows["failure"].drop_null()
        self.failures.update(failed.to_pylist())
        both = rows.filter(pc.is_null(rows["failure"]))
        here = self.nights.setdefault(night, Night())
        here.failures += len(failed)
        if both.num_rows:
            self._count(here, both)
            self._remember(both)

    @property
    def reasons(self) -> Mapping[str, int]:
        """The most frequent reasons of failures."""
        return dict(sorted(self.failures.items(), key=lambda each: (-each[1], each[0]))[:REASONS])

    def _count_costs(self, rows: pa.Table) -> None:
        known = rows["seconds"].drop_null()
        self.seconds += float(np.asarray(known, dtype=np.float64).sum())
        self.timed += len(known)

    def _count(self, night: Night, both: pa.Table) -> None:
        classes, others = (np.asarray(both[name]) for name in ("classId", "shadowClassId"))
        same, distance = classes == others, np.asarray(both["distance"])
        for group in (self.total, night.both):
            group.add(same, distance)
        night.first += by_class(both["classifications"]).sum(axis=0)
        night.second += by_class(both["shadowClassifications"]).sum(axis=0)
        self.moves.update(zip(classes.tolist(), others.tolist(), strict=True))
        for class_id in np.unique(classes).tolist():
            chosen = classes == class_id
            self.classes.setdefault(class_id, Group()).add(same[chosen], distance[chosen])
        for groups, places in ((self.detections, _by_detections(both)), (self.days, _by_days(both))):
            for k, group in enumerate(groups):
                group.add(same[places == k], distance[places == k])
        self.distances += np.bincount(np.searchsorted(STEPS, distance.clip(0, 1)), minlength=len(STEPS))
        self._count_novelty(both)

    def _count_novelty(self, both: pa.Table) -> None:
        pair = np.stack([_floats(both[name]) for name in ("novelty", "shadowNovelty")])
        known = pair[:, np.isfinite(pair).all(axis=0)]
        self.novelty_known += known.shape[1]
        self.novelty += np.stack([known.sum(axis=1), (known > 1).sum(axis=1)], axis=1)

    def _remember(self, both: pa.Table) -> None:
        """Keep the alerts with the largest distances; by their ids among equals, so that their order doesn't matter."""
        keys = [("distance", "descending"), *((name, "ascending") for name in ("survey", "alertId", "diaSourceId"))]
        found = both.take(pc.select_k_unstable(both, KEPT, sort_keys=keys)).select(TOLD).to_pylist()
        together = [*self.most, *(row for row in found if row["distance"] > 0)]
        by_distance = sorted(
            together, key=lambda row: (-row["distance"], row["survey"], row["alertId"], row["diaSourceId"])
        )
        self.most = by_distance[:KEPT]

    def means(self) -> Iterator[tuple[int, float, float]]:
        """classId, mean probability of the first bundle and of the second, of each class that has any."""
        first, second = (
            sum((getattr(night, name) for night in self.nights.values()), np.zeros(len(IDS)))
            for name in ("first", "second")
        )
        for class_id, one, other in zip(IDS.tolist(), first, second, strict=True):
            if one or other:
                yield class_id, float(one) / self.total.alerts, float(other) / self.total.alerts


def _by_detections(both: pa.Table) -> NDArray[np.int64]:
    return np.searchsorted(DETECTIONS, np.asarray(both["nDetections"]), side="right")


def _by_days(both: pa.Table) -> NDArray[np.int64]:
    days = _floats(both["daysSinceFirstDetection"])
    return np.where(np.isnan(days), len(DAYS) + 1, np.searchsorted(DAYS, days, side="right"))


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(pc.fill_null(column, np.nan), dtype=np.float64)
