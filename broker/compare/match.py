"""Which alerts are in both runs? Matched a night at a time, so that no more than a night's answers are in memory."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from broker.compare.answers import KEY, Answers

SUFFIX = "New"
"""Behind the names of the new run's columns."""


@dataclass(frozen=True)
class Unmatched:
    """Alerts that only one of the runs has on their night.

    Parameters
    ----------
    old, new : how many only that run has.
    moved : how many both have, but on different nights; counted in neither, and not compared.
    """

    old: int
    new: int
    moved: int


def match(old: Answers, new: Answers, on_night: Callable[[int, pl.DataFrame], None]) -> Unmatched:
    """Match the alerts of two runs by survey, alertId and diaSourceId.

    Parameters
    ----------
    old, new : the runs.
    on_night : called with each night, ascending, and its alerts that are in both: the old run's columns, and the new
        run's with `SUFFIX`.
    """
    left: list[pl.DataFrame] = []
    right: list[pl.DataFrame] = []
    for night in sorted({*old.files, *new.files}):
        ours = old.night(night)
        theirs = new.night(night).select(*KEY, pl.exclude(KEY).name.suffix(SUFFIX))
        on_night(night, ours.join(theirs, on=KEY, how="inner"))
        left.append(ours.join(theirs, on=KEY, how="anti").select(KEY))
        right.append(theirs.join(ours, on=KEY, how="anti").select(KEY))
    only_old, only_new = (pl.concat(keys) if keys else pl.DataFrame() for keys in (left, right))
    moved = only_old.join(only_new, on=KEY, how="inner").height if only_old.height and only_new.height else 0
    return Unmatched(only_old.height - moved, only_new.height - moved, moved)
