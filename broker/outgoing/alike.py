"""Filters that ask for the same columns: their alerts are made into records, and encoded, once for all of them."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from broker.filters.definition import Filter
from schemas.delivery import delivery_columns

Rows = NDArray[np.int64]
Records = Callable[[pa.Table], Sequence[Mapping[str, Any]]]
Body = TypeVar("Body")


@dataclass(frozen=True)
class Alike:
    """Filters that ask for the same columns.

    Parameters
    ----------
    rows : of each filter, ascending; with the filter.
    annotations : the columns that they ask for, of all alerts.
    """

    rows: Sequence[tuple[Filter, Rows]]
    annotations: pa.Table

    def encoded(
        self, records: Records, encode: Callable[[Mapping[str, Any]], Body], names: Collection[str]
    ) -> Iterator[tuple[Filter, Rows, list[Body]]]:
        """Of each filter of these names its rows, and its encoded records."""
        chosen = [(wanted, rows) for wanted, rows in self.rows if wanted.name in names]
        numbers = _any_of([rows for _, rows in chosen])
        made = records(self.annotations.take(pa.array(numbers, pa.int64())))
        bodies = {row: encode(record) for row, record in zip(numbers, made, strict=True)}
        for wanted, rows in chosen:
            yield wanted, rows, [bodies[row] for row in rows.tolist()]


def alike(annotations: pa.Table, column: str, filters: Sequence[Filter]) -> Iterator[Alike]:
    """The filters that have alerts, by what they ask for.

    Parameters
    ----------
    annotations : columns of `broker.annotate.schema_for`.
    column : lists the names of the filters that an alert is for: ``matchedFilters`` or ``deliveredTo``.
    filters : the subscribers' filters.
    """
    found = rows_by_filter(annotations[column])
    groups: dict[tuple[str, ...], list[tuple[Filter, Rows]]] = {}
    for wanted in filters:
        if wanted.name in found:
            groups.setdefault(tuple(wanted.columns), []).append((wanted, found[wanted.name]))
    for columns, group in groups.items():
        yield Alike(group, annotations.select(delivery_columns(columns)))


def rows_by_filter(names: pa.ChunkedArray) -> dict[str, Rows]:
    """The rows that have each name in their list, ascending."""
    column = names.combine_chunks()
    found = column.flatten().dictionary_encode()
    owners, codes = column.value_parent_indices().to_numpy(), found.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(found.dictionary)))
    rows = np.split(owners[order].astype(np.int64), ends[:-1])
    return dict(zip(found.dictionary.to_pylist(), rows, strict=True)) if len(codes) else {}


def _any_of(rows: Sequence[Rows]) -> list[int]:
    """The rows that are in any of these, ascending."""
    return np.unique(np.concatenate(rows)).tolist() if rows else []
