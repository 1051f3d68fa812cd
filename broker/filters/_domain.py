"""Which values do annotation columns take? What is certain of them, for doubts about conditions."""

from collections.abc import Collection, Iterator
from functools import cache, lru_cache

import numpy as np
import pyarrow as pa

from broker.filters._possible import Possible
from broker.filters.kinds import Kind, kind_of
from classifiers.taxonomy import BY_ID, NOT_CLASSIFIED, TAXONOMY, ClassNode, descendants
from schemas.alerts import BANDS, SCHEMA
from schemas.annotation import camel_case
from schemas.survey import Values
from schemas.surveys import discover

RANGES = {
    "ra": (0.0, 360.0),
    "dec": (-90.0, 90.0),
    "galLon": (0.0, 360.0),
    "galLat": (-90.0, 90.0),
    "nPoints": (0.0, float("inf")),
    "nDetections": (0.0, float("inf")),
    "nDroppedPoints": (0.0, float("inf")),
    "probability": (0.0, 1.0),
    **{node.column: (0.0, 1.0) for node in TAXONOMY if node.column},
}
"""Smallest and largest value of a column of numbers, both included."""


@lru_cache(maxsize=8)
def column_values(schema: pa.Schema) -> dict[str, Possible]:
    """What each column of a schema can hold."""
    classes = tuple(_best(schema.names))
    listed: dict[str, Collection[str | int]] = {
        "survey": tuple(discover()),
        "band": BANDS,
        "className": tuple(node.name for node in classes),
        "classId": tuple(node.id for node in classes),
    }
    kinds = {field.name: kind_of(field.type) for field in schema}
    return {name: _possible(kind, schema.field(name), listed.get(name)) for name, kind in kinds.items() if kind}


def _possible(kind: Kind, field: pa.Field, listed: Collection[str | int] | None) -> Possible:
    if kind is Kind.BOOLEAN:
        return Possible(field.nullable, frozenset({True, False}))
    if kind is Kind.TEXT:
        texts = [value for value in listed or () if isinstance(value, str)]
        return Possible(field.nullable, frozenset(texts) if texts else None)
    numbers = [value for value in listed or () if isinstance(value, int)]
    if numbers:
        return Possible(field.nullable, frozenset(numbers), min(numbers), max(numbers))
    return Possible(field.nullable, None, *RANGES.get(field.name, ()))


def _best(columns: Collection[str]) -> Iterator[ClassNode]:
    """What can be the best class: those with a probability and no class below them, and NotClassified."""
    known = {node.id for node in TAXONOMY if node.column in columns}
    yield from (node for node in TAXONOMY if node.id in known and descendants(node.id) & known == {node.id})
    yield BY_ID[NOT_CLASSIFIED]


@cache
def never_filled(survey: str) -> tuple[str, ...]:
    """The columns that alerts of a survey never have a value of: those that its module leaves out."""
    fields = discover()[survey].fields.items()
    none = Values(np.zeros(0, np.int64), {name: pa.array([], _TYPES[field.kind]) for name, field in fields})
    filled = discover()[survey].columns(none)
    optional = (field.name for field in SCHEMA if field.nullable and field.name != "schema_id")
    return tuple(camel_case(name) for name in optional if name not in filled)


_TYPES = {"number": pa.float64(), "id": pa.int64(), "flag": pa.bool_(), "text": pa.utf8(), "given": pa.bool_()}
"""Of the values of a survey's fields."""


def group_column(name: object) -> str:
    """The column of the probability of a group of classes, empty where no group has this name."""
    return next((node.column or "" for node in TAXONOMY if node.name == name), "")
