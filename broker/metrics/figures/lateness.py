"""Alerts of a night that is over.

A survey's present night is that of the median mjdTai of its last 1,001 alerts, and never goes back: a packet with an
absurd date makes neither itself nor the others late.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from broker._derive import night_of
from broker.commit import Taken
from broker.metrics.family import Family, Tally
from broker.metrics.state import State

RECENT = 1001
"""As many alerts decide which night it is; fewer until so many have come."""


class Lateness(Tally):
    """The present night of each survey, and how many alerts came after theirs."""

    name = "nights"

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.late: dict[str, int] = {}
        self.nights: dict[str, int] = {}
        self._recent: dict[str, NDArray[np.float64]] = {}

    def take(self, taken: Taken) -> None:
        """Count the alerts that are late."""
        alerts = taken.written.annotations.select(["survey", "mjdTai", "night"])
        for survey in pc.unique(alerts["survey"]).to_pylist():
            self._take(survey, alerts.filter(pc.equal(alerts["survey"], survey)))

    def _take(self, survey: str, alerts: pa.Table) -> None:
        recent = np.concatenate([self._recent.get(survey, np.empty(0)), alerts["mjdTai"].to_numpy()])[-RECENT:]
        self._recent[survey] = recent
        night = max(self.nights.get(survey, 0), int(night_of(np.median(recent, keepdims=True))[0]))
        late = int((alerts["night"].to_numpy() < night).sum())
        self.nights = {**self.nights, survey: night}
        self.late = {**self.late, survey: self.late.get(survey, 0) + late}

    def to_json(self) -> Any:
        """The present nights."""
        return self.nights

    def restore(self, found: Any) -> None:
        """Go on from an earlier run's."""
        self.nights = {str(survey): int(night) for survey, night in found.items()}


FAMILY = Family(
    {
        "boreal_late_alerts_total": lambda state: {
            (survey,): count for survey, count in state.tally(Lateness).late.items()
        }
    },
    (Lateness,),
)
