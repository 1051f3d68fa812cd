"""One pass over the alerts: which of them pass a filter, before any limit."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from broker.backtest.alerts import KEYS, Alerts, Piece
from broker.commit import IDENTITY, order_of
from broker.duplicates import SeenAlerts
from broker.errors import WrongInputError
from broker.filters.definition import Filter
from broker.filters.evaluate import evaluate
from broker.filters.needed import columns_needed

Rows = NDArray[np.int64]
"""Numbers of rows, ascending."""

STORED = "matchedFilters"
"""The filters that an alert passed when the table was written."""


OTHER = "with:"


class Count(NamedTuple):
    """A number of alerts, and of the objects that they are of; alerts of no object aren't counted for these."""

    alerts: int
    objects: int


NONE = Count(0, 0)


@dataclass
class Read:
    """What was read.

    Parameters
    ----------
    alerts : annotated alerts, each once.
    duplicates : alerts that had come before.
    rejected : alerts that could not be annotated, by stage.
    nights : alerts by observing night.
    failed : why a filter could not be evaluated, by its name.
    """

    alerts: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    nights: Counter[int] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Passed:
    """The alerts that pass one of the filters or more, in the order in which the stream takes the alerts of a batch.

    Parameters
    ----------
    rows : columns of `KEYS`; `STORED` where a table has it; and `source`, `piece` and `row`, where the alert is.
    matches : a boolean column per filter, a row per alert; the others' names have `OTHER` before them.
    read : what was read.
    """

    rows: pa.Table
    matches: pa.Table
    read: Read

    def of(self, name: str) -> Rows:
        """The rows that pass a filter."""
        return np.flatnonzero(self.matches[name].to_numpy())

    def counts(self, rows: Rows, *by: str) -> pl.DataFrame:
        """The columns `by`, ``alerts`` and ``objects``: how many these rows are, a row for each value of `by`."""
        number = pl.len().alias("alerts"), pl.col("object").drop_nulls().n_unique().alias("objects")
        chosen = self._frame[rows]
        return chosen.group_by(by).agg(*number) if by else chosen.select(*number)

    def by_night(self, rows: Rows) -> dict[int, Count]:
        """How many these rows are in each observing night."""
        return {night: Count(*counts) for night, *counts in self.counts(rows, "night").iter_rows()}

    @cached_property
    def _frame(self) -> pl.DataFrame:
        frame = pl.DataFrame(pl.from_arrow(self.rows.select(["night", "classId", "className", "survey", "objectId"])))
        return frame.with_columns(object=pl.concat_str("survey", pl.lit(" "), "objectId").cast(pl.Categorical))


def find_passing(
    sources: Sequence[Alerts],
    filters: Sequence[Filter],
    others: Sequence[Filter] = (),
    on_piece: Callable[[int], None] = lambda _: None,
) -> Passed:
    """Evaluate the filters on every alert, as the stream does: a repeated alert counts once.

    Memory grows with the number of alerts that pass, and by 16 bytes for each other one.

    Parameters
    ----------
    sources : where the alerts are.
    filters : of distinct names; an alert that passes none of them isn't kept.
    others : further filters, of distinct names, that the alerts which are kept are matched against.
    on_piece : told how many alerts were read, after each piece.

    Raises
    ------
    WrongInputError
        If a table lacks a column that a filter uses, or can't be read.
    """
    others = [replace(each, name=f"{OTHER}{each.name}") for each in others]
    read, seen = Read(), SeenAlerts()
    kept = []
    for number, source in enumerate(sources):
        for piece in source.pieces(_columns(source, [*filters, *others])):
            new = _new(piece, seen, read)
            kept.append(_kept(number, piece, *_passing(piece, new, filters, others, read)))
            on_piece(piece.rows.num_rows)
    if not kept:
        raise WrongInputError(f"{', '.join(source.name for source in sources)}: there are no alerts to try a filter on")
    return _together(kept, [each.name for each in (*filters, *others)], read)


def _columns(source: Alerts, filters: Sequence[Filter]) -> list[str]:
    """The columns to read of a source."""
    used = dict.fromkeys(KEYS)
    for each in filters:
        needed = sorted(columns_needed(each))
        for name in needed:
            if name not in source.columns:
                raise WrongInputError(
                    f"{source.name} has no column {name!r}, which the filter {each.name} uses: it was written with "
                    "another model bundle; give packets, or a table of this one"
                )
        used |= dict.fromkeys(needed)
    return [*used, *([STORED] if STORED in source.columns else ())]


def _new(piece: Piece, seen: SeenAlerts, read: Read) -> Rows:
    """The piece's rows that hadn't come before, in the order in which the stream takes them."""
    order = order_of(piece.rows)
    first = seen.add(piece.rows.select(IDENTITY).take(order))
    rows: Rows = order.to_numpy()[first].astype(np.int64)
    read.alerts += len(rows)
    read.duplicates += piece.rows.num_rows - len(rows)
    read.rejected += piece.rejected
    nights, counts = np.unique(np.asarray(piece.rows["night"])[rows], return_counts=True)
    read.nights.update(dict(zip(nights.tolist(), counts.tolist(), strict=True)))
    return rows


def _passing(
    piece: Piece, new: Rows, filters: Sequence[Filter], others: Sequence[Filter], read: Read
) -> tuple[Rows, dict[str, pa.ChunkedArray]]:
    """Which of these rows pass one of the filters, and the answers of all filters for them."""
    matches = evaluate([*filters, *others], piece.rows)
    read.failed.update(matches.errors)
    passes = np.zeros(piece.rows.num_rows, dtype=np.bool_)
    for each in filters:
        passes |= matches.table[each.name].to_numpy()
    rows = new[passes[new]]
    return rows, {name: matches.table[name].take(pa.array(rows)) for name in matches.table.column_names}


def _kept(source: int, piece: Piece, rows: Rows, answers: dict[str, pa.ChunkedArray]) -> pa.Table:
    """These rows of a piece, with their places and the filters' answers."""
    names = [name for name in (*KEYS, STORED) if name in piece.rows.column_names]
    made = piece.rows.select(names).take(pa.array(rows))
    columns = {
        "source": pa.array(np.full(len(rows), source)),
        "piece": pa.array(np.full(len(rows), piece.number)),
        "row": pa.array(rows),
        **{_column(name): answer for name, answer in answers.items()},
    }
    for name, column in columns.items():
        made = made.append_column(name, column)
    return made


def _column(name: str) -> str:
    """The name of a filter's answers beside the columns of annotations."""
    return f"filter:{name}"


def _together(kept: Sequence[pa.Table], names: Sequence[str], read: Read) -> Passed:
    whole = pa.concat_tables(kept, promote_options="permissive")
    whole = whole.take(order_of(whole)).combine_chunks()
    columns = [_column(name) for name in names]
    return Passed(whole.drop_columns(columns), whole.select(columns).rename_columns(list(names)), read)
