"""What would another version of a filter send? Gained, lost and the same, by night and class, after both's limits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from broker.backtest.backtest import Backtest
from broker.backtest.passed import Count, Passed, Rows


class Change(NamedTuple):
    """What the new filter sends and the old one doesn't, what it no longer sends, and what both send.

    An object is gained where only the new filter sends alerts of it, however many.
    """

    gained: Count
    lost: Count
    same: Count


NO_CHANGE = Change(Count(0, 0), Count(0, 0), Count(0, 0))


@dataclass(frozen=True)
class Difference:
    """How two filters differ on the same alerts.

    Parameters
    ----------
    old, new : what each would have sent.
    total : over all alerts.
    nights : by observing night, ascending, of nights in which either sends something.
    classes : by best class, the one with the most alerts first.
    gained, lost : rows of the alerts that only the new one, and only the old one sends.
    """

    old: Backtest
    new: Backtest
    total: Change
    nights: dict[int, Change]
    classes: dict[str, Change]
    gained: Rows
    lost: Rows


def difference(old: Backtest, new: Backtest, passed: Passed) -> Difference:
    """Compare what two filters send.

    Parameters
    ----------
    old, new : made from `passed`.
    passed : the alerts.
    """
    one, other = old.sent.rows, new.sent.rows
    frame = _frame(passed, one, other)
    classes = dict(_changes(frame, "className"))
    by_size = sorted(classes, key=lambda name: (-sum(count.alerts for count in classes[name]), name))
    return Difference(
        old=old,
        new=new,
        total=next((change for _, change in _changes(frame, "all")), NO_CHANGE),
        nights=dict(sorted(_changes(frame, "night"))),
        classes={name: classes[name] for name in by_size},
        gained=np.setdiff1d(other, one),
        lost=np.setdiff1d(one, other),
    )


def _frame(passed: Passed, old: Rows, new: Rows) -> pl.DataFrame:
    """The alerts that either sends, with who does."""
    rows = np.union1d(old, new)
    columns = passed.rows.select(["night", "className", "survey", "objectId"]).take(pa.array(rows))
    return pl.DataFrame(pl.from_arrow(columns)).with_columns(
        pl.Series("old", np.isin(rows, old)), pl.Series("new", np.isin(rows, new)), pl.lit(0).alias("all")
    )


def _changes(frame: pl.DataFrame, by: str) -> Iterator[tuple[Any, Change]]:
    objects = frame.drop_nulls("objectId").group_by(by, "survey", "objectId").agg(pl.col("old", "new").any())
    of_objects = {key: counts for key, *counts in _counted(objects, by)}
    for key, *alerts in _counted(frame, by):
        pairs = zip(alerts, of_objects.get(key, (0, 0, 0)), strict=True)
        yield key, Change(*(Count(*pair) for pair in pairs))


def _counted(frame: pl.DataFrame, by: str) -> Iterator[tuple[Any, ...]]:
    old, new = pl.col("old"), pl.col("new")
    kinds = {"gained": new & ~old, "lost": old & ~new, "same": old & new}
    return frame.group_by(by).agg(kind.sum().alias(name) for name, kind in kinds.items()).iter_rows()
