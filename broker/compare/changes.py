"""What changed between two runs, added up a night at a time."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from broker.compare.answers import KEY, NAMES
from broker.compare.match import SUFFIX
from classifiers.taxonomy import NOT_CLASSIFIED

Floats = NDArray[np.float64]

BINS = 50
"""The probabilities' plane, old and new, is counted in so many bins a side."""

STEPS = (0.0, 1e-6, 1e-3, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Limits of the distances that are counted together."""

KEPT = 64
"""How many of the alerts that changed most are remembered; a page shows fewer, of different objects."""

PLACES = ("file", "row", f"file{SUFFIX}", f"row{SUFFIX}")
MOST = pl.Schema({
    "survey": pl.String, "alertId": pl.Int64, "diaSourceId": pl.Int64, **dict.fromkeys(PLACES, pl.Int32),
    "night": pl.Int32, "distance": pl.Float64,
})  # fmt: skip


@dataclass
class Spread:
    """Differences of one number, new minus old, over the alerts for which both runs have it."""

    n: int = 0
    total: float = 0.0
    total_absolute: float = 0.0
    largest: float = 0.0

    def add(self, differences: Floats) -> None:
        """Count more differences; NaN where a run hasn't got the number."""
        known = differences[~np.isnan(differences)]
        if len(known):
            self.n += len(known)
            self.total += float(known.sum())
            self.total_absolute += float(np.abs(known).sum())
            self.largest = max(self.largest, float(np.abs(known).max()))

    @property
    def mean(self) -> float | None:
        """The mean difference; None without any."""
        return self.total / self.n if self.n else None

    @property
    def mean_absolute(self) -> float | None:
        """The mean size of the differences; None without any."""
        return self.total_absolute / self.n if self.n else None


@dataclass
class FilterChange:
    """Alerts of both runs that a filter took in one or the other."""

    same: int = 0
    gained: int = 0
    lost: int = 0


@dataclass
class Changes:
    """What changed, over the alerts that both runs have.

    Parameters
    ----------
    classes : the classIds that have a probability in either run, in the order of the columns of its arrays.
    columns : the column of each of them.
    tolerance : a distance, or a difference of novelty, up to this counts as none.
    """

    classes: tuple[int, ...]
    columns: dict[int, str]
    tolerance: float = 0.0
    both: int = 0
    class_changed: int = 0
    score_changed: int = 0
    nights: dict[int, tuple[int, int]] = field(default_factory=dict)
    migration: Counter[tuple[int, int]] = field(default_factory=Counter)
    distances: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(STEPS), dtype=np.int64))
    plane: NDArray[np.int64] = field(default_factory=lambda: np.zeros((BINS, BINS), dtype=np.int64))
    by_class: dict[int, Spread] = field(default_factory=dict)
    novelty: Spread = field(default_factory=Spread)
    novelty_known: Counter[str] = field(default_factory=Counter)
    filters: dict[str, dict[str, FilterChange]] = field(default_factory=dict)
    most: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MOST))

    def add(self, night: int, pairs: pl.DataFrame) -> None:
        """Count the alerts of a night that both runs have (`broker.compare.match`)."""
        if not pairs.height:
            return
        old, new = (self._probabilities(pairs, suffix) for suffix in ("", SUFFIX))
        distance = 0.5 * np.abs(new - old).sum(axis=1)
        changed = (pairs["classId"] != pairs[f"classId{SUFFIX}"]).to_numpy()
        novelty = _floats(pairs, f"novelty{SUFFIX}") - _floats(pairs, "novelty")
        self.both += pairs.height
        self.class_changed += int(changed.sum())
        self.nights[night] = pairs.height, int(changed.sum())
        self._count_scores(distance, novelty, changed, pairs)
        self._count_classes(pairs, old, new)
        self._count_filters(pairs)
        self._remember(night, pairs, distance)

    def _probabilities(self, pairs: pl.DataFrame, suffix: str) -> Floats:
        """Of each class, and of NotClassified, which is sure where it is given; shape (n_alerts, n_classes + 1)."""
        columns = (f"{self.columns[class_id]}{suffix}" for class_id in self.classes)
        known = [_floats(pairs, name) if name in pairs.columns else np.zeros(pairs.height) for name in columns]
        without = (pairs[f"classId{suffix}"] == NOT_CLASSIFIED).to_numpy()
        return np.nan_to_num(np.column_stack([*known, without.astype(np.float64)]))

    def _count_scores(self, distance: Floats, novelty: Floats, changed: NDArray[np.bool_], pairs: pl.DataFrame) -> None:
        known = (pairs["novelty"].is_not_null() != pairs[f"novelty{SUFFIX}"].is_not_null()).to_numpy()
        other = (distance > self.tolerance) | (np.abs(np.nan_to_num(novelty)) > self.tolerance) | known
        self.score_changed += int((other & ~changed).sum())
        self.distances += np.bincount(np.searchsorted(STEPS, distance.clip(0, 1)), minlength=len(STEPS))
        self.novelty.add(novelty)
        self.novelty_known["gained"] += pairs.filter(
            pl.col("novelty").is_null() & pl.col(f"novelty{SUFFIX}").is_not_null()
        ).height
        self.novelty_known["lost"] += pairs.filter(
            pl.col("novelty").is_not_null() & pl.col(f"novelty{SUFFIX}").is_null()
        ).height

    def _count_classes(self, pairs: pl.DataFrame, old: Floats, new: Floats) -> None:
        moves = pairs.group_by("classId", f"classId{SUFFIX}").len()
        self.migration.update({(before, after): n for before, after, n in moves.iter_rows()})
        for k, class_id in enumerate(self.classes):
            self.by_class.setdefault(class_id, Spread()).add(new[:, k] - old[:, k])
        place = {class_id: k for k, class_id in enumerate((*self.classes, NOT_CLASSIFIED))}
        best = pairs["classId"].replace_strict(place, default=None, return_dtype=pl.Int64)
        rows = np.flatnonzero(best.is_not_null().to_numpy())
        chosen = best.drop_nulls().to_numpy()
        counts, _, _ = np.histogram2d(old[rows, chosen], new[rows, chosen], bins=BINS, range=((0, 1), (0, 1)))
        self.plane += counts.astype(np.int64)

    def _count_filters(self, pairs: pl.DataFrame) -> None:
        for column in NAMES:
            found = self.filters.setdefault(column, {})
            for before, after, n in pairs.group_by(column, f"{column}{SUFFIX}").len().iter_rows():
                ours, theirs = ({*filter(None, names.split(","))} for names in (before, after))
                for name in ours | theirs:
                    change = found.setdefault(name, FilterChange())
                    change.same += n * (name in ours and name in theirs)
                    change.gained += n * (name not in ours)
                    change.lost += n * (name not in theirs)

    def _remember(self, night: int, pairs: pl.DataFrame, distance: Floats) -> None:
        """Keep the alerts that changed most; by their ids among equals, so that the order of rows doesn't matter."""
        least = np.partition(distance, -KEPT)[-KEPT] if len(distance) > KEPT else 0.0
        found = pairs.select(*KEY, *PLACES, night=pl.lit(night), distance=pl.Series(distance)).filter(
            (pl.col("distance") > self.tolerance) & (pl.col("distance") >= least)
        )
        together = pl.concat([self.most, found.cast(MOST)])
        self.most = together.sort("distance", *KEY, descending=[True, False, False, False]).head(KEPT)


def _floats(pairs: pl.DataFrame, name: str) -> Floats:
    return pairs[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
