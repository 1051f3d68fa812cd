"""From decoded records to the values that a survey reads: the plain way, with which `schemas._byte_values` agrees."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from schemas._paths import Step, steps
from schemas.survey import Field, Items, Kind, Record, Survey, Values


def values_of_records(survey: Survey, records: Sequence[Record]) -> tuple[Values, dict[str, Values]]:
    """Read a survey's fields, and the fields of its items, from records of that survey.

    Raises
    ------
    KeyError
        If a record lacks a field that must be there.
    ValueError, TypeError, AttributeError
        If a value is of another kind than the survey expects.
    """
    alerts = _values(survey.fields, enumerate(records))
    return alerts, {name: _item_values(items, records) for name, items in survey.items.items()}


def _item_values(items: Items, records: Sequence[Record]) -> Values:
    path = steps(items.path)
    return _values(
        items.fields, ((k, item) for k, record in enumerate(records) for item in _follow(record, path) or ())
    )


def _values(fields: Mapping[str, Field], records: Iterable[tuple[int, Any]]) -> Values:
    """Values of records that come with the index of their owner, read record by record."""
    paths = [steps(field.path) for field in fields.values()]
    owners, rows = [], []
    for owner, record in records:
        owners.append(owner)
        rows.append([_follow(record, path) for path in paths])
    columns = zip(*rows, strict=True) if rows else [()] * len(fields)
    arrays = {name: _ARRAYS[field.kind](column) for (name, field), column in zip(fields.items(), columns, strict=True)}
    return Values(np.array(owners, dtype=np.int64), arrays)


def _follow(record: Any, path: Sequence[Step]) -> Any:
    """The value at a path."""
    value = record
    for level, step in enumerate(path):
        if value is None and path[level - 1].optional:
            return None
        name = step.choose(value.keys())
        if name is None:
            return None
        value = value[name]
    return value


def _ids(values: Sequence[Any]) -> pa.Array:
    if not all(value is None or isinstance(value, int) for value in values):
        raise TypeError("an id that isn't an integer")
    return pa.array(values, pa.int64())


_ARRAYS: dict[Kind, Callable[[Sequence[Any]], pa.Array]] = {
    "number": lambda values: pa.array(values, pa.float64()),
    "id": _ids,
    "flag": lambda values: pa.array(values, pa.bool_()),
    "text": lambda values: pa.array(values, pa.utf8()),
    "given": lambda values: pa.array([None if value is None else True for value in values], pa.bool_()),
}
