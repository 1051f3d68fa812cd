"""How a second bundle does beside the first: totals of the ledger, and how far both agree on the newest alerts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from broker.books.accounts import SHORT_HASH
from broker.commit import Taken
from broker.metrics.family import Family, Tally
from broker.metrics.labels import Labels
from broker.metrics.state import State
from broker.shadow.probabilities import IDS, Floats, by_class
from classifiers.taxonomy import BY_ID, NOT_CLASSIFIED

PIECES = 20
"""The window moves on by such a part of itself, at least."""


def _zeros() -> Floats:
    return np.zeros(len(IDS))


@dataclass(frozen=True)
class Sums:
    """Alerts that both bundles answered on, added up.

    Parameters
    ----------
    alerts, same : how many, and how many of them have the same best class.
    distance : of the two answers.
    first, second : the probabilities of each bundle by class.
    """

    alerts: int = 0
    same: int = 0
    distance: float = 0.0
    first: Floats = field(default_factory=_zeros)
    second: Floats = field(default_factory=_zeros)

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.alerts + other.alerts,
            self.same + other.same,
            self.distance + other.distance,
            self.first + other.first,
            self.second + other.second,
        )

    @classmethod
    def of(cls, rows: pa.Table) -> "Sums":
        """Add up rows of `broker.shadow.rows.COMPARED` without failures."""
        return cls(
            rows.num_rows,
            pc.sum(pc.equal(rows["classId"], rows["shadowClassId"])).as_py() or 0,
            pc.sum(rows["distance"]).as_py() or 0.0,
            by_class(rows["classifications"]).sum(axis=0),
            by_class(rows["shadowClassifications"]).sum(axis=0),
        )


def with_piece(pieces: tuple[Sums, ...], new: Sums, window: int) -> tuple[Sums, ...]:
    """The newest alerts in pieces, oldest first, with more; together they hold a window, and little more."""
    last = pieces[-1:] if pieces and pieces[-1].alerts < window / PIECES else ()
    made = [*pieces[: len(pieces) - len(last)], sum(last, Sums()) + new]
    alerts = sum(piece.alerts for piece in made)
    while alerts - made[0].alerts >= window:
        alerts -= made.pop(0).alerts
    return tuple(made)


class Beside(Tally):
    """The newest alerts of every survey that both bundles answered on, and the time that the shadow took."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.seconds = 0.0
        self._pieces: dict[str, tuple[Sums, ...]] = {}

    def take(self, taken: Taken) -> None:
        """Take in the answers of both."""
        rows, window = taken.written.shadow, self.state.settings.drift_window
        self.seconds += taken.harvest.seconds.get("shadow", 0.0)
        both = rows.filter(pc.is_null(rows["failure"]))
        for survey in pc.unique(both["survey"]).to_pylist():
            new = Sums.of(both.filter(pc.equal(both["survey"], survey)))
            self._pieces = {**self._pieces, survey: with_piece(self._pieces.get(survey, ()), new, window)}

    @property
    def surveys(self) -> Mapping[str, Sums]:
        """The newest alerts of every survey together."""
        return {survey: sum(pieces, Sums()) for survey, pieces in self._pieces.items()}


def _count(key: str) -> Callable[[State], Mapping[Labels, float]]:
    return lambda state: {(bundle,): counts[key] for bundle, counts in state.ledger.total.shadow.items()}


def _newest(value: Callable[[Sums], float]) -> Callable[[State], Mapping[Labels, float]]:
    return lambda state: {(survey,): value(each) for survey, each in state.tally(Beside).surveys.items()}


def _means(state: State) -> dict[Labels, float]:
    """Over alerts that are classified, as of `boreal_score_mean`."""
    return {
        (survey, BY_ID[class_id].name, model): mean
        for survey, each in state.tally(Beside).surveys.items()
        for model, totals in (("first", each.first), ("shadow", each.second))
        for class_id, mean in _of_classified(totals)
    }


def _of_classified(totals: Floats) -> Iterator[tuple[int, float]]:
    known = {class_id: total for class_id, total in zip(IDS.tolist(), totals.tolist(), strict=True) if total}
    known.pop(NOT_CLASSIFIED, None)
    yield from ((class_id, total / sum(known.values())) for class_id, total in known.items())


def _info(state: State) -> dict[Labels, float]:
    shadow = state.model.shadow
    return {(shadow.sha256[:SHORT_HASH],): 1} if shadow else {}


FAMILY = Family(
    {
        "boreal_shadow_info": _info,
        "boreal_shadow_alerts_total": _count("alerts"),
        "boreal_shadow_same_total": _count("same"),
        "boreal_shadow_failures_total": _count("failures"),
        "boreal_shadow_seconds_total": lambda state: state.tally(Beside).seconds if state.model.shadow else None,
        "boreal_shadow_agreement": _newest(lambda each: each.same / each.alerts),
        "boreal_shadow_distance": _newest(lambda each: each.distance / each.alerts),
        "boreal_shadow_window_alerts": _newest(lambda each: each.alerts),
        "boreal_shadow_score_mean": _means,
    },
    (Beside,),
)
