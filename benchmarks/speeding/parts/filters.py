"""How long filters take, and how that grows with their number."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from benchmarks.figure import Baseline, Figure, Goal
from benchmarks.speeding.bench import Bench
from benchmarks.speeding.conditions import random_filters
from benchmarks.timing import in_turns
from broker.filters.definition import Filter
from broker.filters.evaluate import evaluate

ONE_BY_ONE = 4
"""So many filters are also evaluated in passes of their own; more would not stay compiled."""

HUNDRED, MOST_US = 100, 100.0

MANY_ALERTS = 1000
"""At once, to tell what each call takes from what each alert takes."""


def measure(bench: Bench) -> Iterator[Figure]:
    """Microseconds an alert of N random filters in one pass, against N passes; then how a tenfold number grows it."""
    table, many = (_rows(bench.annotations, count) for count in (bench.scale.alerts, MANY_ALERTS))
    filters = random_filters(bench.annotations, max(bench.scale.filters))
    took: dict[int, float] = {}
    for count in bench.scale.filters:
        figure = _of(filters[:count], table, many, bench.scale.rounds)
        took[count] = figure.value
        yield figure
    most = max(took)
    if most // 10 in took:
        linear = Baseline(f"ten times {most // 10}", 10 * took[most // 10])
        yield Figure("filters.growth", took[most], "us/alert", linear, Goal("ratio", "<=", 1))


def _of(filters: Sequence[Filter], table: pa.Table, many: pa.Table, rounds: int) -> Figure:
    (first,) = in_turns(1, partial(evaluate, filters, table))  # compiles
    singles, count = filters[:ONE_BY_ONE], len(filters)
    _one_by_one(singles, table)
    calls = partial(evaluate, filters, table), partial(_one_by_one, singles, table), partial(evaluate, filters, many)
    together, alone, at_once = in_turns(rounds, *calls)
    return Figure(
        f"filters.{count}",
        together.seconds / len(table) * 1e6,
        "us/alert",
        Baseline("a pass each", alone.seconds / len(singles) * count / len(table) * 1e6),
        Goal("value", "<=", MOST_US) if count == HUNDRED else None,
        {
            "alertsAtOnce": len(table),
            f"usPerAlertOf{MANY_ALERTS}AtOnce": at_once.seconds / len(many) * 1e6,
            "passed": float(np.mean([np.mean(column.to_numpy()) for column in together.given.table.columns])),
            "firstCallSeconds": first.seconds,
        },
    )


def _rows(annotations: pa.Table, count: int) -> pa.Table:
    """So many annotations, repeated where there are fewer."""
    return annotations.take(pa.array(np.resize(np.arange(len(annotations)), count))).combine_chunks()


def _one_by_one(filters: Sequence[Filter], table: pa.Table) -> None:
    for single in filters:
        evaluate([single], table)
