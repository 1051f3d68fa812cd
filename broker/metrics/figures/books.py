"""Alerts and deliveries as the ledger has them: a restart goes on from its totals.

A count by what is known beforehand begins with a zero of each: the first step of a series that wasn't there is none to
Prometheus, and what happens seldom would pass unnoticed.
"""

import json
from collections.abc import Mapping

from broker.books.ledger import Entry
from broker.books.reasons import REASON_KINDS
from broker.metrics.family import Family
from broker.metrics.labels import Labels
from broker.metrics.state import State
from schemas.packets import STAGES

Counts = Mapping[Labels, float]


def _total(state: State) -> Entry:
    return state.ledger.total


def _by(counts: Mapping[str, int]) -> Counts:
    return {(name,): count for name, count in counts.items()}


def _schemas(state: State) -> Counts:
    """The ledger's ``lsst 10.0``."""
    return {tuple(name.split(" ", 1)): count for name, count in _total(state).schemas.items()}


def _dead_lettered(state: State) -> Counts:
    """What was replayed stays counted: a counter that goes down is a restart to Prometheus."""
    total = _total(state)
    stages = dict.fromkeys((*STAGES, *total.reject_stages, *total.replayed))
    return {(stage,): total.reject_stages[stage] + total.replayed[stage] for stage in stages}


def _of_filters(state: State, counts: Mapping[str, int]) -> Counts:
    names = (each.name for each in state.service.filters) if state.service else ()
    return _by({**dict.fromkeys(names, 0), **counts})


def _undeliverable(state: State) -> Counts:
    publishing = state.service.committer.publishing if state.service else None
    names = (each.name for each in publishing.destinations) if publishing else ()
    return _by({**dict.fromkeys(names, 0), **_total(state).undeliverable})


def _cut(state: State) -> Counts:
    return {(name, limit): count for name, limits in _total(state).cut.items() for limit, count in limits.items()}


def _difference(state: State) -> float:
    total = _total(state)
    return total.received - total.annotated - total.duplicates - total.dead_lettered


def _reconciled(state: State, key: str) -> float | None:
    file = state.run.reconciled
    return float(json.loads(file.read_text(encoding="utf-8"))[key]) if file.exists() else None


FAMILY = Family(
    {
        "boreal_alerts_received_total": lambda state: _total(state).received,
        "boreal_alerts_annotated_total": lambda state: _by(_total(state).surveys),
        "boreal_schema_alerts_total": _schemas,
        "boreal_alerts_duplicate_total": lambda state: _total(state).duplicates,
        "boreal_alerts_dead_lettered_total": _dead_lettered,
        "boreal_dead_letter_reasons_total": lambda state: _by(
            {**dict.fromkeys(REASON_KINDS, 0), **_total(state).reject_reasons}
        ),
        "boreal_dead_letters_waiting": lambda state: _total(state).dead_lettered,
        "boreal_not_classified_total": lambda state: _by(_total(state).not_classified),
        "boreal_ledger_difference": _difference,
        "boreal_reconcile_differences": lambda state: _reconciled(state, "differences"),
        "boreal_reconcile_timestamp_seconds": lambda state: _reconciled(state, "at"),
        "boreal_deliveries_total": lambda state: _of_filters(state, _total(state).deliveries),
        "boreal_cut_total": _cut,
        "boreal_filter_errors_total": lambda state: _of_filters(state, _total(state).filter_errors),
        "boreal_undeliverable_total": _undeliverable,
    }
)
