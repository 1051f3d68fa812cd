"""Do the classifier's answers drift? The mean class probabilities of the newest alerts against those of a reference.

The reference is what a run's directory saw first of a survey with its bundle: the model's training set has other shares
of classes than the sky, so a distance from that would say nothing. Another bundle begins a reference of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from broker.commit import Taken
from broker.metrics.family import Family, Tally
from broker.metrics.labels import Labels
from broker.metrics.state import State
from classifiers.taxonomy import BY_ID, NOT_CLASSIFIED

PIECES = 20
"""The window moves on by such a part of itself, at least."""

NOVEL = 1.0


@dataclass(frozen=True)
class Sums:
    """Probabilities of so many alerts, added up by class."""

    alerts: int = 0
    classes: Mapping[int, float] = field(default_factory=dict)

    def __add__(self, other: "Sums") -> "Sums":
        classes = {k: self.classes.get(k, 0.0) + other.classes.get(k, 0.0) for k in {**self.classes, **other.classes}}
        return Sums(self.alerts + other.alerts, classes)

    @property
    def means(self) -> dict[int, float]:
        """The mean probability of each class."""
        return {k: total / self.alerts for k, total in self.classes.items()} if self.alerts else {}

    def to_json(self) -> Any:
        """The sums as plain data."""
        return [self.alerts, {str(k): total for k, total in self.classes.items()}]

    @classmethod
    def from_json(cls, found: Any) -> "Sums":
        """The sums that `to_json` gave."""
        alerts, classes = found
        return cls(int(alerts), {int(k): float(total) for k, total in classes.items()})


@dataclass(frozen=True)
class Scores:
    """Of one survey: the reference, and the newest alerts in pieces, oldest first."""

    reference: Sums = Sums()
    pieces: tuple[Sums, ...] = ()

    @property
    def window(self) -> Sums:
        """The newest alerts together."""
        return sum(self.pieces, Sums())

    def with_alerts(self, new: Sums, window: int, reference: int) -> "Scores":
        """The same with more alerts."""
        known = self.reference if self.reference.alerts >= reference else self.reference + new
        last = self.pieces[-1:] if self.pieces and self.pieces[-1].alerts < window / PIECES else ()
        pieces = [*self.pieces[: len(self.pieces) - len(last)], sum(last, Sums()) + new]
        alerts = sum(piece.alerts for piece in pieces)
        while alerts - pieces[0].alerts >= window:
            alerts -= pieces.pop(0).alerts
        return Scores(known, tuple(pieces))

    def drift(self, reference: int) -> float | None:
        """The distance of the newest alerts from the reference; None until there is one."""
        if self.reference.alerts < reference:
            return None
        return distance(self.window.means, self.reference.means)


def distance(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Jensen-Shannon distance of two distributions: the root of the divergence to base 2, from 0 to 1.

    Lin 1991, IEEE Trans. Inf. Theory 37, 145; that its root is a metric: Endres & Schindelin 2003, ibid. 49, 1858.
    """
    keys = sorted({*one, *other})
    p, q = (np.array([given.get(key, 0.0) for key in keys]) for given in (one, other))
    middle = (p + q) / 2

    def divergence(given: "np.ndarray[Any, np.dtype[np.float64]]") -> float:
        some = given > 0
        return float(np.sum(given[some] * np.log2(given[some] / middle[some])))

    return float(np.sqrt(max(0.0, (divergence(p) + divergence(q)) / 2)))


class Drift(Tally):
    """The scores of every survey."""

    name = "scores"

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.scores: dict[str, Scores] = {}
        self.novel: dict[str, int] = {}

    def take(self, taken: Taken) -> None:
        """Take in the probabilities."""
        settings = self.state.settings
        for survey, sums, novel in _by_survey(taken.written.annotations):
            known = self.scores.get(survey, Scores())
            scores = known.with_alerts(sums, settings.drift_window, settings.drift_reference) if sums.alerts else known
            self.scores = {**self.scores, survey: scores}
            if novel is not None:
                self.novel = {**self.novel, survey: self.novel.get(survey, 0) + novel}

    def to_json(self) -> Any:
        """Reference and window of every survey, with the bundle that they are of."""
        surveys = {
            survey: {"reference": each.reference.to_json(), "window": [piece.to_json() for piece in each.pieces]}
            for survey, each in self.scores.items()
        }
        return {"bundle": self.state.model.sha256, "surveys": surveys}

    def restore(self, found: Any) -> None:
        """Go on from those of an earlier run with the same bundle."""
        if found["bundle"] == self.state.model.sha256:
            self.scores = {
                str(survey): Scores(
                    Sums.from_json(each["reference"]), tuple(Sums.from_json(piece) for piece in each["window"])
                )
                for survey, each in found["surveys"].items()
            }


def _by_survey(annotations: pa.Table) -> Iterator[tuple[str, Sums, int | None]]:
    """Each survey, the probabilities of its classified alerts, and how many are novel; None if none has a novelty."""
    columns = annotations.select(["survey", "classifications", "novelty"])
    for survey in pc.unique(columns["survey"]).to_pylist():
        rows = columns.filter(pc.equal(columns["survey"], survey))
        flat = rows["classifications"].combine_chunks().flatten()
        ids, probabilities = (flat.field(name).to_numpy() for name in ("classId", "probability"))
        classified = ids != NOT_CLASSIFIED
        found, places = np.unique(ids[classified], return_inverse=True)
        totals = np.bincount(places, weights=probabilities[classified], minlength=len(found))
        alerts = rows.num_rows - int((~classified).sum())  # an alert without a class has that one entry
        novel = pc.sum(pc.greater(rows["novelty"], NOVEL)).as_py()
        yield survey, Sums(alerts, dict(zip(found.tolist(), totals.tolist(), strict=True))), novel


def _drift(state: State) -> dict[Labels, float]:
    found = {survey: each.drift(state.settings.drift_reference) for survey, each in _scores(state).items()}
    return {(survey,): distance for survey, distance in found.items() if distance is not None}


def _scores(state: State) -> Mapping[str, Scores]:
    return state.tally(Drift).scores


def _means(sums: Mapping[str, Sums]) -> dict[Labels, float]:
    return {(survey, BY_ID[k].name): mean for survey, each in sums.items() for k, mean in each.means.items()}


FAMILY = Family(
    {
        "boreal_score_drift": _drift,
        "boreal_score_mean": lambda state: _means({survey: s.window for survey, s in _scores(state).items()}),
        "boreal_score_reference": lambda state: _means({survey: s.reference for survey, s in _scores(state).items()}),
        "boreal_score_window_alerts": lambda state: {(n,): s.window.alerts for n, s in _scores(state).items()},
        "boreal_score_reference_alerts": lambda state: {(n,): s.reference.alerts for n, s in _scores(state).items()},
        "boreal_novel_alerts_total": lambda state: {
            (survey,): count for survey, count in state.tally(Drift).novel.items()
        },
    },
    (Drift,),
)
