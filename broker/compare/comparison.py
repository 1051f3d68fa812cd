"""The comparison of two runs, whole."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from broker.books.ledger import Entry, Ledger
from broker.compare.answers import Answers
from broker.compare.changes import Changes
from broker.compare.match import Unmatched, match
from broker.tables.dataset import Annotations


@dataclass(frozen=True)
class Comparison:
    """Two runs and what changed from one to the other.

    Parameters
    ----------
    old, new : the runs.
    unmatched : alerts that only one of them has.
    changes : over the alerts that both have.
    """

    old: Answers
    new: Answers
    unmatched: Unmatched
    changes: Changes

    @property
    def class_names(self) -> dict[int, str]:
        """The name of each class that was some alert's best in either run, by classId."""
        return dict(sorted({**self.old.class_names, **self.new.class_names}.items()))


def compare(
    old: Annotations,
    new: Annotations,
    *,
    tolerance: float = 0.0,
    on_night: Callable[[], None] = lambda: None,
) -> Comparison:
    """Compare the answers of two runs over the same alerts; memory grows with the largest night.

    Parameters
    ----------
    old, new : the runs' annotation tables.
    tolerance : a distance, or a difference of novelty, up to this counts as none.
    on_night : called after each night.

    Raises
    ------
    WrongInputError
        If a table isn't one of annotations.
    """
    ours, theirs = Answers(old), Answers(new)
    columns = {class_id: name for run in (ours, theirs) for name, class_id in run.classes.items()}
    changes = Changes(tuple(sorted(columns)), columns, tolerance)

    def add(night: int, pairs: pl.DataFrame) -> None:
        changes.add(night, pairs)
        on_night()

    return Comparison(ours, theirs, match(ours, theirs, add), changes)


def books_of(run: Annotations) -> Entry | None:
    """The totals of a run's ledger; None where the table has no ledger beside it.

    Raises
    ------
    LedgerError
        If the ledger can't be read.
    """
    if run.run is None or not run.run.ledger.exists():
        return None
    return Ledger.read(run.run.ledger).total
