"""Which visits look short of alerts, or of detectors, beside their neighbours in time."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

NEIGHBOURS = 5
"""So many visits of the same survey, night and band before, and so many after."""

FEWEST_NEIGHBOURS = 4
"""With fewer there is nothing to compare with."""

DEVIATIONS = 5.0
"""So many standard deviations below the neighbours' median, and less than `SHARE` of it."""

SHARE = {"alerts": 0.5, "detectors": 0.9}
"""Alerts vary with the field and the clouds by themselves; detectors hardly do."""


def with_remarks(visits: pl.DataFrame) -> pl.DataFrame:
    """Add `expectedAlerts` and `expectedDetectors`, the neighbours' medians, and `short`, what a visit is short of.

    Parameters
    ----------
    visits : with `survey`, `night`, `band`, `alerts`, `detectors` and `allDetectors`, in the order of time.
    """
    medians = {name: np.full(len(visits), np.nan) for name in SHARE}
    short = {name: np.zeros(len(visits), np.bool_) for name in SHARE}
    camera = visits["allDetectors"].to_numpy()
    for rows in _groups(visits):
        for name, share in SHARE.items():
            most = None if name == "alerts" or np.isnan(camera[rows[0]]) else float(camera[rows[0]])
            medians[name][rows], short[name][rows] = judge(visits[name].to_numpy()[rows], share, most)
    told = [[name for name in SHARE if short[name][row]] for row in range(len(visits))]
    return visits.with_columns(
        pl.Series("expectedAlerts", medians["alerts"]).fill_nan(None),
        pl.Series("expectedDetectors", medians["detectors"]).fill_nan(None),
        pl.Series("short", told, pl.List(pl.String)),
    )


def _groups(visits: pl.DataFrame) -> Sequence[NDArray[np.int64]]:
    """The rows of each survey, night and band."""
    rows = visits.select("survey", "night", "band").with_row_index()
    found = rows.group_by("survey", "night", "band").agg(pl.col("index").sort())
    return [np.asarray(each, dtype=np.int64) for each in found["index"].to_list()]


def judge(
    values: NDArray[np.int64], share: float, most: float | None = None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The median of each value's neighbours, NaN where they are too few, and whether the value is far below it.

    Parameters
    ----------
    values : counts, in the order of time.
    share : a value that isn't below this share of the median is never far below it.
    most : the largest that a value can be; None where there is none.

    Notes
    -----
    The standard deviation is that of the neighbours by their median absolute deviation, or that of chance, whichever is
    larger: few neighbours may be alike by luck. Chance is the square root of the median count, or, where there is a
    largest value, of how many are left to it if those are fewer.
    """
    medians, low = np.full(len(values), np.nan), np.zeros(len(values), np.bool_)
    for k, value in enumerate(values):
        around = np.concatenate([values[max(0, k - NEIGHBOURS) : k], values[k + 1 : k + 1 + NEIGHBOURS]])
        if len(around) < FEWEST_NEIGHBOURS:
            continue
        medians[k] = median = float(np.median(around))
        by_chance = np.sqrt(max(1.0, median if most is None else min(median, most - median)))
        deviation = max(1.4826 * float(np.median(np.abs(around - median))), by_chance)
        low[k] = value < share * median and value < median - DEVIATIONS * deviation
    return medians, low
