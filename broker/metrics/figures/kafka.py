"""Kafka's partitions: what was read of each, and what waits."""

from collections.abc import Mapping

from broker.metrics.family import Family
from broker.metrics.labels import Labels
from broker.metrics.state import State
from broker.sources.kafka import split_partition

Counts = Mapping[Labels, float]


def _by_partition(counts: Mapping[str, float]) -> Counts:
    """From ``topic/number`` to labels; the ledger's partitions have such names."""
    return {(topic, str(number)): count for (topic, number), count in _split(counts).items()}


def _split(counts: Mapping[str, float]) -> dict[tuple[str, int], float]:
    return {split_partition(name): count for name, count in counts.items()}


def _of_ledger(state: State, key: str) -> Counts:
    return _by_partition({name: counts[key] for name, counts in state.ledger.total.partitions.items()})


def _lag(state: State) -> Counts:
    return _by_partition(state.lag.behind(state.ledger.positions)) if state.lag else {}


FAMILY = Family(
    {
        "boreal_lag_messages": _lag,
        "boreal_position_offset": lambda state: _by_partition(
            {name: span.next for name, span in state.ledger.positions.items()}
        ),
        "boreal_source_up": lambda state: float(state.lag.up) if state.lag and state.lag.asked else None,
        "boreal_lag_asked_timestamp_seconds": lambda state: state.lag.answered if state.lag else None,
        "boreal_messages_total": lambda state: _of_ledger(state, "messages"),
        "boreal_message_bytes_total": lambda state: _of_ledger(state, "bytes"),
        "boreal_skipped_offsets_total": lambda state: _of_ledger(state, "skipped"),
    }
)
