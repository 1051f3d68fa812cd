"""Filters in use, and when each last sent something; what waits to be delivered."""

import time
from typing import Any

from broker.commit import Taken
from broker.metrics.family import Family, Tally
from broker.metrics.labels import Labels
from broker.metrics.state import State


class LastDeliveries(Tally):
    """When each filter's last alert was sent."""

    name = "lastDeliveries"

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.at: dict[str, float] = {}

    def take(self, taken: Taken) -> None:
        """Note the filters that were sent something."""
        sent = [name for name, count in taken.page.entry.deliveries.items() if count > 0]
        self.at = {**self.at, **dict.fromkeys(sent, taken.delivered)}

    def to_json(self) -> Any:
        """By filter [s since 1970, UTC]."""
        return self.at

    def restore(self, found: Any) -> None:
        """Go on from an earlier run's."""
        self.at = {str(name): float(at) for name, at in found.items()}


def _last(state: State) -> dict[Labels, float]:
    """Of filters that are still in use."""
    at = state.tally(LastDeliveries).at
    names = {each.name for each in state.service.filters} if state.service else set()
    return {(name,): when for name, when in at.items() if name in names}


def _filters(state: State) -> dict[Labels, float]:
    service = state.service
    return {("active",): len(service.filters), ("refused",): service.refused_filters} if service else {}


def _versions(state: State) -> dict[Labels, float]:
    return {(each.name, each.version): 1.0 for each in state.service.filters} if state.service else {}


def _waiting(state: State) -> float | None:
    return sum(each.messages for each in state.service.committer.outbox.waiting()) if state.service else None


def _oldest(state: State) -> float | None:
    if not state.service:
        return None
    return max((time.time() - each.since for each in state.service.committer.outbox.waiting()), default=0.0)


FAMILY = Family(
    {
        "boreal_last_delivery_timestamp_seconds": _last,
        "boreal_filters": _filters,
        "boreal_filter_info": _versions,
        "boreal_outbox_messages": _waiting,
        "boreal_outbox_oldest_seconds": _oldest,
    },
    (LastDeliveries,),
)
