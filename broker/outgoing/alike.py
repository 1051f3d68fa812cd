"""Filters that ask for the same columns: their alerts are made into records, and encoded, once for all of them."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from broker.filters.definition import Filter
from schemas.delivery import annotation_records, delivery_columns

Rows = NDArray[np.int64]
Body = TypeVar("Body")


@dataclass(frozen=True)
class Alike:
    """Filters that ask for the same columns.

    Parameters
    ----------
    rows : of each filter, ascending; with the filter.
    records : by row, for each row that any of them has.
    """

    rows: Sequence[tuple[Filter, Rows]]
    records: Mapping[int, Mapping[str, Any]]

    def encoded(
        self, encode: Callable[[Mapping[str, Any]], Body], names: Collection[str]
    ) -> Iterator[tuple[Filter, Rows, list[Body]]]:
        """Of each filter of these names its rows, and its encoded records."""
        chosen = [(wanted, rows) for wanted, rows in self.rows if wanted.name in names]
        bodies = {row: encode(self.records[row]) for row in _any_of([rows for _, rows in chosen])}
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
        rows = _any_of([own for _, own in group])
        records = annotation_records(annotations.select(delivery_columns(columns)).take(pa.array(rows, pa.int64())))
        yield Alike(group, dict(zip(rows, records, strict=True)))


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
