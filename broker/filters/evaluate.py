"""Which filters does an alert pass? All conditions in one pass over a batch.

A row's answer depends on that row alone: the engine only maps values to values, whatever the batch or the threads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from broker.filters.definition import Filter

if TYPE_CHECKING:
    from broker.filters._program import Program


@dataclass(frozen=True)
class Matches:
    """Which alerts pass which filters.

    Parameters
    ----------
    table : a boolean column without nulls per filter, a row per alert.
    errors : why a filter could not be evaluated, by its name; none of its alerts pass.
    """

    table: pa.Table
    errors: Mapping[str, str] = field(default_factory=dict)


def evaluate(filters: Sequence[Filter], table: pa.Table) -> Matches:
    """Evaluate every filter on every alert.

    Parameters
    ----------
    filters : of distinct names.
    table : annotation columns. A condition that is NULL doesn't match.
    """
    filters = tuple(filters)
    try:
        return _as_matches(filters, _program(filters).run(table), {})
    except BaseException as error:  # noqa: BLE001 - a panic of the engine is no `Exception`
        _let_through(error)
        return _one_by_one(filters, table)


def matched_names(matches: Matches) -> pa.Array:
    """The names of the filters that each alert passes, in the order of the filters; a list column, a row per alert."""
    names = pa.array(matches.table.column_names, pa.utf8())
    passed = np.zeros((matches.table.num_rows, len(names)), dtype=np.bool_)
    for k, column in enumerate(matches.table.columns):
        passed[:, k] = column.to_numpy()
    offsets = np.concatenate([[0], np.cumsum(passed.sum(axis=1))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), names.take(pa.array(np.nonzero(passed)[1])))


@lru_cache(maxsize=8)
def _program(filters: tuple[Filter, ...]) -> "Program":
    from broker.filters._program import Program

    return Program.compile([(f.name, f.term, f.regions) for f in filters])


def _one_by_one(filters: tuple[Filter, ...], table: pa.Table) -> Matches:
    """Each filter for itself, so that one which fails takes no other with it."""
    columns, errors = [], {}
    for wanted in filters:
        try:
            columns.append(_program((wanted,)).run(table)[0])
        except BaseException as error:  # noqa: BLE001 - likewise
            _let_through(error)
            errors[wanted.name] = f"{type(error).__name__}: {error}"
            columns.append(pa.array(np.zeros(table.num_rows, dtype=np.bool_)))
    return _as_matches(filters, columns, errors)


def _as_matches(filters: tuple[Filter, ...], columns: Sequence[pa.Array], errors: Mapping[str, str]) -> Matches:
    return Matches(pa.table(list(columns), names=[wanted.name for wanted in filters]), errors)


def _let_through(error: BaseException) -> None:
    """Raise again what isn't the filter's fault; the engine's panics are no `Exception`s, but are."""
    if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError | GeneratorExit):
        raise error
