"""Which alerts came after those of a visit that was observed later, by Kafka's time stamps."""

from collections.abc import Iterable

import numpy as np
import polars as pl

from broker.visits.coverage import KEY


def first_of_later(visits: pl.DataFrame) -> pl.DataFrame:
    """The time [ms] at which the first alert of any later visit of the survey came, as the column `nextCame`.

    Parameters
    ----------
    visits : rows of `broker.visits.coverage.Coverage.visits`, by survey and time.
    """
    return visits.with_columns(
        pl.col("firstCame").fill_null(_NEVER).reverse().cum_min().reverse().shift(-1).over("survey").alias("nextCame")
    ).with_columns(pl.col("nextCame").fill_null(_NEVER))


_NEVER = int(np.iinfo(np.int64).max)


def has_late(visits: pl.DataFrame) -> bool:
    """Whether any alert of these visits came late."""
    return bool((visits["lastCame"] > visits["nextCame"]).any())


def count_late(pieces: Iterable[pl.DataFrame], visits: pl.DataFrame) -> pl.DataFrame:
    """Count late alerts: a row a visit that has any, with `late`.

    Parameters
    ----------
    pieces : alerts in the columns of `broker.visits.coverage.PIECE`.
    visits : with `nextCame`.
    """
    limits = visits.select(*KEY, "nextCame")
    counts = [
        piece.join(limits, on=KEY).filter(pl.col("came") > pl.col("nextCame")).group_by(KEY).agg(_COUNT)
        for piece in pieces
    ]
    empty = pl.DataFrame(schema={"survey": pl.String, "visit": pl.Int64, "late": pl.Int64})
    return pl.concat([empty, *counts]).group_by(KEY).agg(pl.col("late").sum())


_COUNT = pl.len().cast(pl.Int64).alias("late")
