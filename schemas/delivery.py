"""What does a subscriber get? The record of one alert sent for one filter, the same in JSON and in Avro."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from schemas._avro_types import avro_field
from schemas.avro_points import avro_light_curves

LIGHT_CURVE = "lightCurve"

DELIVERY = (
    "survey",
    "alertId",
    "diaSourceId",
    "objectId",
    "mjdTai",
    "ra",
    "dec",
    "schemaId",
    "schemaVersion",
    "nDetections",
    "classId",
    "className",
    "probability",
    "classifications",
    "novelty",
    "notClassifiedReason",
    "classifier",
)
"""The columns that every delivered record carries, in this order; `filter` follows them."""


def delivery_records(
    annotations: pa.Table, filter_stamp: dict[str, str], extra: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Annotations as the records that a subscriber gets, the same for JSON and Avro.

    64-bit integers are written as strings, since JSON readers round them to 53 bits.

    Parameters
    ----------
    annotations : rows of `annotation_schema`.
    filter_stamp : ``name`` and ``version`` of the filter that sends them.
    extra : further columns that the filter asked for.
    """
    records = annotation_records(annotations.select(delivery_columns(extra)))
    return [{**record, "filter": filter_stamp} for record in records]


def delivery_columns(extra: Sequence[str]) -> list[str]:
    """The columns that a filter is sent which asked for further ones."""
    return [*DELIVERY, *(name for name in extra if name not in DELIVERY)]


def annotation_records(annotations: pa.Table) -> list[dict[str, Any]]:
    """Annotations with all their columns as records, 64-bit integers as strings."""
    table = annotations
    for index, field in enumerate(table.schema):
        if field.type == pa.int64():
            table = table.set_column(index, field.name, table[field.name].cast(pa.utf8()))
    records: list[dict[str, Any]] = table.to_pylist()
    return records


def avro_records(annotations: pa.Table) -> list[dict[str, Any]]:
    """As `annotation_records`, but each light curve is the bytes that Avro has for it, where they can be made."""
    if LIGHT_CURVE not in annotations.schema.names:
        return annotation_records(annotations)
    curves = avro_light_curves(annotations[LIGHT_CURVE])
    records = annotation_records(annotations.drop_columns([LIGHT_CURVE]))
    return [{**record, LIGHT_CURVE: curve} for record, curve in zip(records, curves, strict=True)]


def annotation_avro_schema(schema: pa.Schema) -> dict[str, Any]:
    """The Avro schema of `annotation_records` made from a table of this schema."""
    return {
        "type": "record",
        "name": "annotation",
        "namespace": "boreal.v1",
        "doc": "An alert as Boreal annotated it.",
        "fields": [avro_field(field) for field in schema],
    }


def delivery_avro_schema(schema: pa.Schema, extra: Sequence[str] = ()) -> dict[str, Any]:
    """The Avro schema of `delivery_records` made from a table of this schema."""
    stamp = pa.struct([pa.field("name", pa.utf8(), nullable=False), pa.field("version", pa.utf8(), nullable=False)])
    fields = [*(schema.field(name) for name in delivery_columns(extra)), pa.field("filter", stamp, nullable=False)]
    return {
        "type": "record",
        "name": "delivery",
        "namespace": "boreal.v1",
        "doc": "An alert that passed a subscriber's filter.",
        "fields": [avro_field(field) for field in fields],
    }
