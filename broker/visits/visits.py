"""The visits of a run: what the table, the books and the dead-letter say of them, put together."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from broker.books import journal
from broker.run_directory import RunDirectory
from broker.tables.dataset import Annotations
from broker.visits.coverage import KEY, Coverage, pieces
from broker.visits.late import count_late, first_of_later, has_late
from broker.visits.letters import DeadLetters, dead_letters
from broker.visits.short import with_remarks
from broker.visits.taken import EPOCH, TAKEN, taken_in
from schemas.surveys import discover


@dataclass(frozen=True)
class Visits:
    """Visits, and what belongs to none.

    Parameters
    ----------
    rows : a row a visit, by survey and time; see `COLUMNS`.
    without : annotated alerts that don't tell their visit, by survey.
    dead_letters : packets in the dead-letter whose visit isn't known.
    """

    rows: pl.DataFrame
    without: dict[str, int]
    dead_letters: int

    def to_rows(self) -> Iterator[dict[str, Any]]:
        """The visits as plain data."""
        yield from self.rows.iter_rows(named=True)


ORDER = ["survey", "firstMjdTai", "visit"]

COLUMNS = (
    "survey", "visit", "night", "band", "firstMjdTai", "lastMjdTai", "observed", "gapSeconds", "detectors",
    "allDetectors", "expectedDetectors", "alerts", "expectedAlerts", "duplicates", "deadLettered", "late", "short",
    "kafkaFirstSeconds", "kafkaMeanSeconds", "kafkaLastSeconds", "annotatedFirstSeconds", "annotatedMeanSeconds",
    "annotatedLastSeconds",
)  # fmt: skip
"""`observed` is when the visit was observed [ms since 1970, UTC]. Seconds count from then, `gapSeconds` from the visit
before within the same night. Null is what isn't known."""


def visits_of(
    annotations: Annotations, nights: Collection[int] | None = None, on_file: Callable[[], None] = lambda: None
) -> Visits:
    """Put together what is known of each visit.

    Parameters
    ----------
    annotations : the table of a run; where it lies in a run's directory, books and dead-letter are asked, too.
    nights : only these; None for all.
    on_file : called after each file of the table.

    Raises
    ------
    WrongInputError
        If the table has no visits.
    TableError, LedgerError
        If something can't be read.
    """
    seen, without = _seen(annotations, nights, on_file)
    seen = first_of_later(seen.sort(ORDER))
    rows = seen.join(_late(annotations, seen), on=KEY, how="left")
    taken, letters = _run(annotations.run)
    rows = rows.join(taken, on=KEY, how="left").join(_counted(letters), on=KEY, how="left").sort(ORDER)
    return Visits(_told(with_remarks(_described(rows, annotations.run))), without, letters.unknown)


def _seen(
    annotations: Annotations, nights: Collection[int] | None, on_file: Callable[[], None]
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The visits of each night, night after night, so that only the detectors of one night are in memory."""
    parts, without = [Coverage().visits().with_columns(pl.lit(0, pl.Int32).alias("night"))], dict[str, int]()
    for night, alerts in pieces(annotations, nights, on_file):
        found = Coverage()
        for piece in alerts:
            found.add(piece)
        parts.append(found.visits().with_columns(pl.lit(night, pl.Int32).alias("night")))
        without = {name: without.get(name, 0) + found.without.get(name, 0) for name in {**without, **found.without}}
    return pl.concat(parts), without


def _late(annotations: Annotations, seen: pl.DataFrame) -> pl.DataFrame:
    """Late alerts by visit, of those nights that have any."""
    nights = seen.filter(pl.col("lastCame") > pl.col("nextCame"))["night"].unique().to_list()
    empty = count_late((), seen)
    if not has_late(seen):
        return empty
    counts = [count_late(alerts, seen.filter(night=night)) for night, alerts in pieces(annotations, nights)]
    return pl.concat([empty, *counts])


def _run(run: RunDirectory | None) -> tuple[pl.DataFrame, DeadLetters]:
    if run is None:
        return pl.DataFrame(schema=TAKEN), DeadLetters()
    return taken_in(journal.read(run.journal)), dead_letters(run)


def _counted(letters: DeadLetters) -> pl.DataFrame:
    schema = {"survey": pl.String, "visit": pl.Int64, "deadLettered": pl.Int64}
    return pl.DataFrame([(*key, count) for key, count in letters.visits.items()], schema=schema, orient="row")


def _described(rows: pl.DataFrame, run: RunDirectory | None) -> pl.DataFrame:
    """With latencies, the gap to the visit before, and the survey's number of detectors."""
    cameras = {name: survey.detectors for name, survey in discover().items()}
    stamped = pl.col("stamped") > 0
    dead = pl.col("deadLettered") if run is None else pl.col("deadLettered").fill_null(0)
    mean_taken = pl.col("takenSum") / pl.col("timed") + EPOCH
    return rows.with_columns(
        pl.col("survey").replace_strict(cameras, default=None, return_dtype=pl.Float64).alias("allDetectors"),
        (pl.col("observed") - pl.col("observed").shift(1)).over("survey", "night").truediv(1000).alias("gapSeconds"),
        pl.when(stamped).then(pl.col("late").fill_null(0)).alias("late"),
        dead.alias("deadLettered"),
        _since("firstCame").alias("kafkaFirstSeconds"),
        pl.when(stamped).then(pl.col("cameSum") / pl.col("stamped") / 1000).alias("kafkaMeanSeconds"),
        _since("lastCame").alias("kafkaLastSeconds"),
        _since("firstTaken").alias("annotatedFirstSeconds"),
        pl.when(pl.col("timed") > 0).then((mean_taken - pl.col("observed")) / 1000).alias("annotatedMeanSeconds"),
        _since("lastTaken").alias("annotatedLastSeconds"),
    )


def _since(name: str) -> pl.Expr:
    """The seconds from the observation until then."""
    return (pl.col(name) - pl.col("observed")) / 1000


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    whole = pl.col("allDetectors").cast(pl.Int64)
    return rows.with_columns(whole).select(COLUMNS)
